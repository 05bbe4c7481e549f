/**
 * The verdict: what is the matter with an execution, in a sentence and a few facts.
 *
 * @module
 */

import type { Branch, Execution, GraphNode } from "../../../mod.ts";
import { describeNode } from "../graph/svg.ts";
import { duration } from "../format.ts";
import { type Html, markup, type Part } from "../html.ts";
import { flowLink, type Visit } from "../site.ts";
import { facts, when } from "./parts.ts";

type Fact = readonly [string, Part] | undefined;

/** What is the matter, what to do about it. */
export function verdict(visit: Visit, execution: Execution, node: GraphNode | undefined): Html {
  const { title, details } = explain(visit, execution, node);
  const { error } = execution;
  return markup`<section class="verdict ${execution.status}" aria-label="What is the matter"><h2>${title}</h2>${
    error !== undefined &&
    markup`<pre tabindex="0" role="region" aria-label="Error">${error}</pre>`
  }${details.some((fact) => fact !== undefined) && facts(details)}</section>`;
}

function explain(visit: Visit, execution: Execution, node: GraphNode | undefined): { title: Part; details: Fact[] } {
  const { status, currentNode, startedAt, updatedAt } = execution;
  const took = duration(updatedAt.getTime() - startedAt.getTime());
  const at = markup`<a href="#node-${currentNode}">${currentNode}</a>`;
  const what: Fact = node === undefined ? undefined : [node.type === "fanin" ? "node" : node.type, describeNode(node)];
  switch (status) {
    case "completed":
      return { title: markup`Completed at ${at} after ${took}`, details: [] };
    case "failed":
      return {
        title: markup`Failed at ${at}, ${when(updatedAt, visit)}, ${took} after the start`,
        details: [what, attemptsFact(execution, node), branchesFact(execution), [
          "next",
          resumeAdvice(visit, execution),
        ]],
      };
    case "cancelled":
      return { title: markup`Cancelled at ${at}, ${took} after the start`, details: [] };
    case "waiting":
      return waiting(visit, execution, node);
    case "running":
      return running(visit, execution, node, [what, attemptsFact(execution, node), branchesFact(execution)]);
  }
}

function waiting(visit: Visit, execution: Execution, node: GraphNode | undefined): { title: Part; details: Fact[] } {
  const { wait, updatedAt } = execution;
  const until: Fact = ["until", wait?.until === undefined ? "for as long as it takes" : untilText(visit, wait.until)];
  const since: Fact = ["waiting since", when(updatedAt, visit)];
  switch (wait?.kind) {
    case "signal":
      return {
        title: markup`Waiting for signal “${wait.signal}”`,
        details: [since, until, wait.until === undefined ? undefined : ["then", afterTimeout(node)]],
      };
    case "join":
      return {
        title: markup`Waiting for branches at ${execution.currentNode}`,
        details: [branchesFact(execution), since, wait.until === undefined ? undefined : until],
      };
    default:
      return {
        title: markup`Waiting for the completion of ${execution.currentNode}`,
        details: [
          ["its invoker answered", "pending"],
          attemptsFact(execution, node),
          since,
          until,
          [
            "ends with",
            markup`<code>completeActivity(id, "${execution.currentNode}", ${execution.attempt}, result)</code>`,
          ],
        ],
      };
  }
}

function running(
  visit: Visit,
  { wait, currentNode, attempt, updatedAt }: Execution,
  node: GraphNode | undefined,
  details: Fact[],
): { title: Part; details: Fact[] } {
  if (wait?.until !== undefined && wait.until > visit.now) {
    const title = wait.kind === "retry"
      ? markup`Attempt ${attempt} at ${currentNode} failed; the next is due ${when(wait.until, visit)}`
      : markup`Branches at ${currentNode} are retried; the next is due ${when(wait.until, visit)}`;
    return { title, details };
  }
  const limit: Fact = node?.timeout === undefined ? undefined : ["time limit", duration(node.timeout)];
  const title = attempt > 0
    ? markup`Running ${currentNode}, attempt ${attempt + 1}; the attempt before it failed`
    : markup`Running ${currentNode}`;
  return { title, details: [...details, ["changed", when(updatedAt, visit)], limit] };
}

function untilText(visit: Visit, until: Date): Html {
  return markup`${until.toISOString().slice(0, 19).replace("T", " ")} UTC (${when(until, visit)})`;
}

function afterTimeout(node: GraphNode | undefined): Part {
  return node?.onTimeout === undefined ? "it fails" : markup`it goes on at <b>${node.onTimeout}</b>`;
}

function attemptsFact({ attempt }: Execution, node: GraphNode | undefined): Fact {
  if (node?.type !== "task") return undefined;
  const of = node.retry?.maxAttempts ?? 1;
  return ["attempt", `${attempt + 1} of ${Math.max(of, attempt + 1)}`];
}

function branchesFact({ branches }: Execution): Fact {
  if (branches === undefined) return undefined;
  const all = Object.values(branches);
  const by = (status: Branch["status"]) => all.filter((branch) => branch.status === status).map(({ node }) => node);
  const parts = (["failed", "pending", "completed"] as const)
    .map((status) => [status, by(status)] as const)
    .filter(([, names]) => names.length > 0)
    .map(([status, names]) =>
      `${names.length} ${status} (${names.slice(0, 6).join(", ")}${names.length > 6 ? ", …" : ""})`
    );
  return ["branches", parts.join(" · ")];
}

function resumeAdvice(visit: Visit, { id, flow }: Execution): Html {
  if (visit.site.options.allowActions) {
    return markup`mend the cause, then resume it: it goes on at the node it failed on`;
  }
  return markup`mend the cause, then <code>server.resume("${id}")</code>; the flow is <a href="${
    flowLink(visit, flow)
  }">${flow}</a>`;
}
