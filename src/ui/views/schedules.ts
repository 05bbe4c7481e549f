/**
 * The recurring schedules.
 *
 * @module
 */

import type { Schedule } from "../../../mod.ts";
import { cronInWords } from "../cron_words.ts";
import { clock, count } from "../format.ts";
import { type Html, markup } from "../html.ts";
import { checkKnown } from "../params.ts";
import { flowLink, type Visit } from "../site.ts";
import { jsonTree } from "./json_view.ts";
import { pageResponse } from "./page.ts";
import { empty, tableHead, when } from "./parts.ts";

/** `GET /schedules`. */
export async function schedulesPage(visit: Visit): Promise<Response> {
  checkKnown(visit.query, []);
  const schedules = await visit.site.server.schedules();
  const content = markup`<div class="head"><h1>Schedules</h1><span class="soft">${count(schedules.length)}</span></div>
    <section class="panel">${
    schedules.length === 0
      ? empty(
        "No schedules",
        markup`Start a flow by the clock: <code>server.scheduleFlow("nightly", "flow", "0 0 3 * * *")</code>`,
      )
      : markup`<div class="scroll" tabindex="0" role="region" aria-label="Schedules"><table class="rows">${
        tableHead(["Schedule", "Starts", "When", "Next", "Last", "Payload"])
      }<tbody>${
        schedules
          .map((schedule) => row(visit, schedule))
      }</tbody></table></div>`
  }</section>`;
  return pageResponse(visit, { title: "Schedules", section: "/schedules", content, live: {} });
}

function row(visit: Visit, { name, flow, cron, timeZone, payload, next, last }: Schedule): Html {
  return markup`<tr>
      <td><b>${name}</b></td>
      <td><a href="${flowLink(visit, flow)}">${flow}</a></td>
      <td class="wide">${cronInWords(cron)}<br><span class="soft small"><code>${cron}</code> ${timeZone}</span></td>
      <td class="nowrap" data-label="next">${when(next, visit)}<br><span class="soft small">${clock(next)}</span></td>
      <td class="nowrap" data-label="last">${
    last === undefined ? markup`<span class="soft">never</span>` : when(last, visit)
  }</td>
      <td class="wide">${jsonTree(visit.site.options.redact(payload, ["payload"]))}</td>
    </tr>`;
}
