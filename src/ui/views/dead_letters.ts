/**
 * The dead letters.
 *
 * @module
 */

import type { DeadLetter } from "../../../mod.ts";
import { count } from "../format.ts";
import { type Html, markup } from "../html.ts";
import { shownLetter } from "../letters.ts";
import { checkKnown, numberParam } from "../params.ts";
import { link, type Visit } from "../site.ts";
import { jsonTree } from "./json_view.ts";
import { pageResponse } from "./page.ts";
import { empty, executionRef, tableHead, when } from "./parts.ts";

const SHOWN = 100;
const MAX_SHOWN = 1_000;

/** `GET /dead-letters`. */
export async function deadLettersPage(visit: Visit): Promise<Response> {
  checkKnown(visit.query, ["limit"]);
  const { server } = visit.site;
  const limit = numberParam(visit.query, "limit", [1, MAX_SHOWN]) ?? SHOWN;
  const [letters, { deadLetters }] = await Promise.all([server.deadLetters({ limit }), server.backlog()]);
  const more = letters.length < deadLetters && limit < MAX_SHOWN &&
    markup`<a class="button" href="${link(visit, "/dead-letters", { limit: MAX_SHOWN })}">Show ${count(MAX_SHOWN)}</a>`;
  const content = markup`<div class="head"><h1>Dead letters</h1><span class="soft">${count(deadLetters)}</span></div>
    <section class="panel">${
    letters.length === 0
      ? empty("No dead letters", "What could not be done, whatever was tried, is kept here with its reason")
      : markup`<div class="scroll" tabindex="0" role="region" aria-label="Dead letters">
          <table class="rows">${
        tableHead([
          "Source",
          "Of",
          "Reason",
          "#Deliveries",
          "Given up",
          "Body",
        ])
      }<tbody>${letters.map((letter) => row(visit, shownLetter(letter, visit.site.options)))}</tbody></table>
        </div>
        <div class="foot"><span>${count(letters.length)} shown</span><span class="grow"></span>${more}</div>`
  }</section>`;
  return pageResponse(visit, { title: "Dead letters", section: "/dead-letters", content, live: {} });
}

/** Dead letters of executions lead to them. */
function row(visit: Visit, { sequence, source, key, reason, deliveries, time, body }: DeadLetter): Html {
  const isExecution = (source === "work" || source === "signal") && /^[A-Za-z0-9_-]{1,128}$/.test(key);
  const action = (name: string, text: string) =>
    markup`<p><a href="${link(visit, `/dead-letters/${sequence}/${name}`)}">${text}</a></p>`;
  const actions = visit.site.options.allowActions && [action("redrive", "Try again"), action("discard", "Discard")];
  return markup`<tr>
      <td><b>${source}</b></td>
      <td>${isExecution ? executionRef(visit, key, true) : markup`<span class="mono">${key}</span>`}</td>
      <td class="error wide">${reason}</td>
      <td class="num" data-label="deliveries">${deliveries ?? ""}</td>
      <td class="nowrap soft">${when(time, visit)}${actions}</td>
      <td class="wide">${body === undefined ? markup`<span class="soft">none</span>` : jsonTree(body)}</td>
    </tr>`;
}
