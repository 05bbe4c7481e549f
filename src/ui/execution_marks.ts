/**
 * An execution drawn onto its flow's graph: where it has been, where it is, how its branches stand.
 *
 * @module
 */

import type { Branch, Execution, FlowGraph } from "../../mod.ts";
import type { Marks, NodeMark } from "./graph/marks.ts";
import { duration } from "./format.ts";
import type { Visit } from "./visits.ts";

/** What is drawn onto the graph of an execution's flow. */
export function executionMarks(execution: Execution, graph: FlowGraph, visits: readonly Visit[], now: number): Marks {
  const nodes = new Map<string, NodeMark>();
  for (const { id } of graph.nodes) nodes.set(id, { state: "idle" });
  for (const visit of visits) nodes.set(visit.node, visitedMark(visit, visits, now));
  for (const branch of Object.values(execution.branches ?? {})) nodes.set(branch.node, branchMark(branch));
  for (const { node } of visits) nodes.set(node, { ...nodes.get(node)!, href: `#at-${node}` });
  const { currentNode, status } = execution;
  const mark = nodes.get(currentNode);
  nodes.set(currentNode, { ...mark, state: status, note: currentNote(execution) ?? mark?.note ?? status });
  return { nodes, taken: takenEdges(execution, graph, visits) };
}

function visitedMark(visit: Visit, visits: readonly Visit[], now: number): NodeMark {
  const times = visits.filter(({ node }) => node === visit.node).length;
  const attempts = Math.max(0, ...visit.segments.map(({ attempt }) => attempt)) + 1;
  const parts = [
    visit.segments.length === 0 ? "passed" : duration((visit.end ?? now) - visit.start),
    ...attempts > 1 ? [`${attempts} attempts`] : [],
    ...times > 1 ? [`${times} visits`] : [],
  ];
  const state = visit.result === "failed" || visit.result === "cancelled" ? visit.result : "completed";
  return { state, note: parts.join(" · ") };
}

function branchMark({ node, status, attempt = 0, parked, until }: Branch): NodeMark {
  const nth = attempt > 0 ? ` · attempt ${attempt + 1}` : "";
  if (status === "completed") return { state: status, note: `${status}${nth}`, href: `#node-${node}` };
  if (status === "failed") return { state: status, note: `${status}${nth}` };
  if (parked) return { state: "waiting", note: `pending${nth}` };
  return { state: "running", note: until === undefined ? `running${nth}` : `retry${nth}` };
}

function currentNote({ status, wait, attempt }: Execution): string | undefined {
  const nth = attempt > 0 ? ` · attempt ${attempt + 1}` : "";
  switch (status) {
    case "waiting":
      return wait?.kind === "signal"
        ? `waiting for ${wait.signal}`
        : wait?.kind === "join"
        ? "waiting for branches"
        : `pending${nth}`;
    case "running":
      return wait?.kind === "retry" ? `retry${nth}` : `running${nth}`;
    case "failed":
      return `failed${nth}`;
    case "cancelled":
      return "cancelled";
    case "completed":
      return undefined;
  }
}

function takenEdges({ branches }: Execution, graph: FlowGraph, visits: readonly Visit[]): Set<string> {
  const taken = new Set<string>();
  const types = new Map(graph.nodes.map((node) => [node.id, node]));
  visits.slice(1).forEach((visit, index) => {
    const before = visits[index]!.node;
    if (types.get(before)?.type !== "fanout") {
      taken.add(`${before} ${visit.node}`);
      return;
    }
    for (const branch of types.get(before)!.branches ?? []) {
      taken.add(`${before} ${branch}`);
      const status = branches !== undefined && Object.hasOwn(branches, branch) ? branches[branch]!.status : undefined;
      if (status === "completed") taken.add(`${branch} ${visit.node}`);
    }
  });
  return taken;
}
