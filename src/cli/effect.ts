/**
 * What a command would do to an execution as it is now. The library's calls leave alone what they do not fit; a person
 * wants to be told.
 *
 * An execution that this user may not read is not looked at: the command is sent as it is.
 *
 * @module
 */

import { type Execution, type FlowGraph, NotFoundError, PermissionError, type Server } from "../../mod.ts";
import { suggestion } from "../flow/suggest.ts";
import { hasEnded } from "./commands/follow.ts";
import { CommandError, EXIT } from "./failure.ts";

/**
 * @throws {NotFoundError} Where there is no such execution.
 * @throws {CommandError} Where it has ended, unless it was cancelled.
 */
export async function checkCancel(server: Server, id: string): Promise<void> {
  const execution = await look(server, id);
  if (execution?.status === "completed" || execution?.status === "failed") throw endedAlready(execution);
}

/**
 * What is to be known of a signal that is about to be sent; `undefined` where nothing is.
 *
 * @throws {ValidationError} Where the id is none.
 */
export async function signalWarning(server: Server, id: string, name: string): Promise<string | undefined> {
  let execution: Execution | undefined;
  try {
    execution = await look(server, id);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    return `there is no execution ${id} yet: the signal is kept for about half a minute, then it is a dead letter`;
  }
  if (execution === undefined) return undefined;
  const { flow, status } = execution;
  if (status === "completed" || status === "cancelled") return `${id} is ${status}: the signal is a dead letter`;
  const graph = await lookAtFlow(server, execution);
  const names = graph?.nodes.flatMap(({ signalName }) => signalName ?? []);
  if (names !== undefined && !names.includes(name)) {
    return `flow ${flow} has no node that waits for signal ${name}: it is a dead letter${suggestion(name, names)}`;
  }
  return status === "failed" ? `${id} has failed: the signal is kept until it is resumed` : undefined;
}

/** The completion of an attempt. */
export interface Completion {
  readonly node: string;
  /** The attempt, from 0. */
  readonly attempt: number;
  /** The visit of the node; whichever it is where absent. */
  readonly generation?: number;
}

/**
 * What is to be known of a completion that is about to be sent; `undefined` where nothing is.
 *
 * @throws {NotFoundError} Where there is no such execution.
 * @throws {CommandError} Where the completion would change nothing.
 */
export async function checkCompletion(
  server: Server,
  id: string,
  completion: Completion,
): Promise<string | undefined> {
  const execution = await look(server, id);
  if (execution === undefined) return undefined;
  const graph = await lookAtFlow(server, execution);
  const { node } = completion;
  const tasks = graph?.nodes.filter(({ type }) => type === "task").map((task) => task.id);
  if (tasks !== undefined && !tasks.includes(node)) {
    throw new CommandError(EXIT.notFound, `flow ${execution.flow} has no task ${node}${suggestion(node, tasks)}`);
  }
  const { branches = {}, currentNode } = execution;
  if (Object.hasOwn(branches, node)) return checkBranch(execution, graph, completion);
  if (hasEnded(execution.status)) throw endedAlready(execution);
  if (currentNode === node) return checkAttempt(execution, completion, execution);
  return `${id} is at node ${currentNode}, not ${node}: the completion is dropped unless ${id} is there when it arrives`;
}

/** A branch that nobody waits for may be completed at any time; the others while their fan-in waits for them. */
function checkBranch(execution: Execution, graph: FlowGraph | undefined, completion: Completion): undefined {
  const { id, status, currentNode, branches } = execution;
  const { node } = completion;
  const branch = branches![node]!;
  const join = graph?.nodes.find(({ waitFor }) => waitFor?.includes(node));
  if (status === "cancelled" || (hasEnded(status) && (join !== undefined || !branch.parked))) {
    throw endedAlready(execution);
  }
  if (branch.status !== "pending") throw inVain(`branch ${node} of ${id} is ${branch.status} already`);
  if (join !== undefined && join.id !== currentNode) throw inVain(`${id} has gone on without branch ${node}`);
  return checkAttempt(execution, { node, attempt: completion.attempt }, { attempt: branch.attempt ?? 0 });
}

function checkAttempt(
  { id }: Execution,
  { node, attempt, generation }: Completion,
  at: { attempt: number; generation?: number },
): undefined {
  if (generation !== undefined && generation !== at.generation) {
    throw inVain(`node ${node} of ${id} is at generation ${at.generation}, not ${generation}`);
  }
  if (attempt !== at.attempt) {
    throw inVain(`node ${node} of ${id} is at attempt ${at.attempt} (attempts count from 0), not ${attempt}`);
  }
}

function endedAlready({ id, status }: Execution): CommandError {
  return inVain(status === "failed" ? `${id} has failed already` : `${id} is ${status} already`);
}

function inVain(message: string): CommandError {
  return new CommandError(EXIT.state, message, "`packtrail get` shows the state it is in");
}

/** The execution; `undefined` where this user may not read it. @throws {NotFoundError} */
async function look(server: Server, id: string): Promise<Execution | undefined> {
  return await readable(() => server.get(id));
}

/** The flow as the execution has it; `undefined` where it cannot be had. */
async function lookAtFlow(server: Server, { flow, definition }: Execution): Promise<FlowGraph | undefined> {
  try {
    return await readable(() => server.flowGraph(flow, { definition }));
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}

async function readable<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof PermissionError) return undefined;
    throw error;
  }
}
