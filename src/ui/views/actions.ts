/**
 * The pages that ask before something is changed, and do it when they are told to.
 *
 * @module
 */

import type { DeadLetter, Execution } from "../../../mod.ts";
import { sequenceOf } from "../actions.ts";
import { formBody, isObject, parseJson } from "../body.ts";
import { type Html, markup, type Part } from "../html.ts";
import { shownLetter } from "../letters.ts";
import { checkKnown, nameParam, pathName } from "../params.ts";
import { badRequest, notFound, type Problem, problemOf } from "../problem.ts";
import { executionLink, link, type Visit } from "../site.ts";
import { pageResponse } from "./page.ts";
import { badge } from "./parts.ts";

const MAX_REASON = 1_000;

/** `GET /start`: a form with an example payload. */
export async function startPage(visit: Visit): Promise<Response> {
  checkKnown(visit.query, ["flow"]);
  const flow = nameParam(visit.query, "flow");
  return startForm(visit, { flow: flow ?? "", payload: await examplePayload(visit, flow) });
}

/** `POST /start`. */
export async function startAction(visit: Visit): Promise<Response> {
  const form = await formBody(visit.request);
  const [flow, payload, id] = ["flow", "payload", "id"].map((name) => form.get(name)?.trim() ?? "");
  try {
    const value = parseJson(payload || "{}", "the payload");
    if (!isObject(value)) throw badRequest("the payload must be a JSON object");
    return see(executionLink(visit, await visit.site.server.start(flow!, value, id ? { id } : {})));
  } catch (error) {
    return await startForm(visit, { flow: flow!, payload: payload!, id: id! }, asked(error));
  }
}

/** `GET /executions/{id}/signal`. */
export async function signalPage(visit: Visit): Promise<Response> {
  const execution = await executionOf(visit);
  return signalForm(visit, execution, { name: execution.waitSignal ?? "", payload: "{}" });
}

/** `POST /executions/{id}/signal`. */
export async function signalAction(visit: Visit): Promise<Response> {
  const execution = await executionOf(visit);
  const form = await formBody(visit.request);
  const name = form.get("name")?.trim() ?? "";
  const payload = form.get("payload") ?? "";
  try {
    await visit.site.server.signal(
      execution.id,
      name,
      payload.trim() === "" ? null : parseJson(payload, "the payload"),
    );
    return see(executionLink(visit, execution.id));
  } catch (error) {
    return signalForm(visit, execution, { name, payload }, asked(error));
  }
}

/** `GET /executions/{id}/resume`. */
export async function resumePage(visit: Visit): Promise<Response> {
  const execution = await executionOf(visit);
  return confirmation(visit, execution, {
    name: "resume",
    title: "Resume this execution?",
    text: markup`It goes on at <b>${execution.currentNode}</b>, the node it failed on, with a fresh retry budget.`,
    button: "Resume",
  });
}

/** `POST /executions/{id}/resume`. */
export async function resumeAction(visit: Visit): Promise<Response> {
  const { id } = await executionOf(visit);
  await formBody(visit.request);
  await visit.site.server.resume(id);
  return see(executionLink(visit, id));
}

/** `GET /executions/{id}/cancel`. */
export async function cancelPage(visit: Visit): Promise<Response> {
  const execution = await executionOf(visit);
  return confirmation(visit, execution, {
    name: "cancel",
    title: "Cancel this execution?",
    text: markup`It ends for good: what runs is aborted, and its late results are dropped.`,
    fields: markup`<label>Reason<input name="reason" maxlength="${MAX_REASON}" autocomplete="off"></label>`,
    button: "Cancel the execution",
    tone: "danger",
  });
}

/** `POST /executions/{id}/cancel`. */
export async function cancelAction(visit: Visit): Promise<Response> {
  const { id } = await executionOf(visit);
  const reason = (await formBody(visit.request)).get("reason")?.trim();
  if (reason !== undefined && reason.length > MAX_REASON) {
    throw badRequest(`reason: is longer than ${MAX_REASON} characters`);
  }
  await visit.site.server.cancel(id, reason || undefined);
  return see(executionLink(visit, id));
}

/** `GET /dead-letters/{sequence}/redrive`. */
export async function redrivePage(visit: Visit): Promise<Response> {
  return letterForm(visit, await letterOf(visit), {
    name: "redrive",
    title: "Try this again?",
    text: "It is sent once more, and its dead letter removed.",
    button: "Try again",
  });
}

/** `POST /dead-letters/{sequence}/redrive`. */
export async function redriveAction(visit: Visit): Promise<Response> {
  const sequence = sequenceOf(visit.params.sequence!);
  await formBody(visit.request);
  await visit.site.server.redrive(sequence);
  return see(link(visit, "/dead-letters"));
}

/** `GET /dead-letters/{sequence}/discard`. */
export async function discardPage(visit: Visit): Promise<Response> {
  return letterForm(visit, await letterOf(visit), {
    name: "discard",
    title: "Discard this dead letter?",
    text: "It is removed for good: nothing is tried again, and its execution, where it has one, stays as it is.",
    button: "Discard the dead letter",
    tone: "danger",
  });
}

/** `POST /dead-letters/{sequence}/discard`. */
export async function discardAction(visit: Visit): Promise<Response> {
  const sequence = sequenceOf(visit.params.sequence!);
  await formBody(visit.request);
  await visit.site.server.discard(sequence);
  return see(link(visit, "/dead-letters"));
}

async function letterOf({ site: { server, options }, query, params }: Visit): Promise<DeadLetter> {
  checkKnown(query, []);
  const sequence = sequenceOf(params.sequence!);
  const letter = (await server.deadLetters({ limit: 1_000 })).find((letter) => letter.sequence === sequence);
  if (letter === undefined) throw notFound(`there is no dead letter ${sequence} among the latest`);
  return shownLetter(letter, options);
}

async function executionOf(visit: Visit): Promise<Execution> {
  checkKnown(visit.query, []);
  return await visit.site.server.get(pathName(visit.params.id!, "id"));
}

/** The payload of the flow's latest execution, as an example; nothing that is redacted comes with it. */
async function examplePayload({ site: { server, options } }: Visit, flow: string | undefined): Promise<string> {
  if (flow === undefined) return "{}";
  const [latest] = await server.recent({ flow, limit: 1 });
  if (latest === undefined) return "{}";
  try {
    return JSON.stringify(options.redact((await server.results(latest.executionId)).input, ["input"]), null, 2);
  } catch (error) {
    if (problemOf(error).status === 404) return "{}";
    throw error;
  }
}

async function startForm(
  visit: Visit,
  { flow, payload, id = "" }: { flow: string; payload: string; id?: string },
  problem?: Problem,
): Promise<Response> {
  const flows = await visit.site.server.listFlows();
  return formPage(visit, {
    title: "Start an execution",
    action: link(visit, "/start"),
    back: link(visit, "/executions"),
    fields: markup`<label>Flow<select name="flow" required>${
      flows.map((name) => markup`<option value="${name}" ${name === flow ? markup` selected` : ""}>${name}</option>`)
    }</select></label>
<label>Payload, a JSON object<textarea name="payload" spellcheck="false">${payload}</textarea></label>
<label>Id, where a second start with it must not run twice<input name="id" value="${id}" maxlength="128" autocomplete="off" placeholder="made up where empty"></label>`,
    button: "Start",
    problem,
  });
}

function signalForm(
  visit: Visit,
  execution: Execution,
  { name, payload }: { name: string; payload: string },
  problem?: Problem,
): Response {
  return confirmation(visit, execution, {
    name: "signal",
    title: "Send a signal",
    text: execution.waitSignal === undefined
      ? markup`It does not wait for a signal now; one that comes early is kept for it.`
      : markup`It waits for <b>${execution.waitSignal}</b>.`,
    fields:
      markup`<label>Signal<input name="name" value="${name}" required maxlength="128" pattern="[A-Za-z0-9_\\-]+" autocomplete="off"></label><label>Payload, JSON<textarea name="payload" spellcheck="false">${payload}</textarea></label>`,
    button: "Send the signal",
    problem,
  });
}

interface Asked {
  readonly title: string;
  readonly text?: Part;
  readonly fields?: Html;
  readonly button: string;
  readonly tone?: string;
  readonly problem?: Problem | undefined;
}

function confirmation(visit: Visit, { id, status }: Execution, asked: Asked & { name: string }): Response {
  const back = executionLink(visit, id);
  const text = markup`<p><a class="mono" href="${back}">${id}</a> ${badge(status)}</p><p>${asked.text}</p>`;
  return formPage(visit, { ...asked, text, action: `${back}/${asked.name}`, back });
}

function letterForm(visit: Visit, letter: DeadLetter, asked: Asked & { name: string }): Response {
  const { sequence, source, key, reason } = letter;
  const back = link(visit, "/dead-letters");
  const text = markup`<b>${source}</b> of <span class="mono">${key}</span> was given up on: ${reason}. ${asked.text}`;
  return formPage(visit, { ...asked, text, action: `${back}/${sequence}/${asked.name}`, back });
}

function formPage(visit: Visit, form: Asked & { action: string; back: string }): Response {
  const { title, text, fields, button, tone = "primary", problem, action, back } = form;
  const content =
    markup`<section class="panel"><header> <h1>${title}</h1></header><form class="body form" method="post" action="${action}">${text}${
      problem !== undefined &&
      markup`<p class="note" role="alert">${problem.message}</p>`
    }${fields}<div class="row"><button class="${tone}">${button}</button><a class="button" href="${back}">Back</a></div></form></section>`;
  return pageResponse(visit, { title, content }, problem?.status ?? 200);
}

/** What the person can mend in the form; anything else is thrown on. */
function asked(error: unknown): Problem {
  const problem = problemOf(error);
  if (problem.status >= 500) throw error;
  return problem;
}

/** Go and look: the answer to a form that was done. */
function see(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}
