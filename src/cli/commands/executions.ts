/**
 * Commands about one execution: start, signal, complete, resume, cancel, and what it is and knows.
 *
 * @module
 */

import { type Command, Option } from "commander";
import type { Json, Result, Server } from "../../../mod.ts";
import { action, readJson, readObject, type Scene, wholeNumber } from "../command.ts";
import { checkCancel, checkCompletion, signalWarning } from "../effect.ts";
import { interruption } from "../environment.ts";
import { EXIT } from "../failure.ts";
import { flowMissing } from "../flow_names.ts";
import { withProgress } from "../output.ts";
import { showExecution } from "../shown_execution.ts";
import { follow } from "./follow.ts";

const PAYLOAD = "JSON; @file reads a file, - standard input";

/** Adds the commands. */
export function addExecutionCommands(program: Command): void {
  addStart(program);
  addSignal(program);
  addComplete(program);
  action(
    program.command("get").summary("show an execution").description("Shows an execution as it is now.")
      .argument("<id>", "the execution's id"),
    (scene, id: string) =>
      scene.served(async (server) => showExecution(scene.out, await withProgress("reading", () => server.get(id)))),
  );
  action(
    program.command("results").summary("show everything an execution knows")
      .description("Shows everything that an execution knows, as JSON: input, payload, results, signals, branches.")
      .argument("<id>", "the execution's id"),
    (scene, id: string) =>
      scene.served(async (server) => console.log(text(await withProgress("reading", () => server.results(id))))),
  );
  action(
    program.command("resume").summary("run a failed execution again, from the node it failed on")
      .description(
        "Resumes a failed execution at the node it failed on, with a fresh retry budget. It keeps the definition it " +
          "began with: a flow that was mended since is for new starts.",
      )
      .argument("<id>", "the execution's id"),
    (scene, id: string) => scene.served((server) => done(scene, { id }, `resumed ${id}`, () => server.resume(id))),
  );
  action(
    program.command("cancel").summary("end an execution")
      .description("Cancels a live execution. One that was cancelled before keeps the reason it has.")
      .argument("<id>", "the execution's id").argument("[reason]", "why"),
    (scene, id: string, reason: string | undefined) =>
      scene.served((server) =>
        done(scene, { id }, `cancelled ${id}`, async () => {
          await checkCancel(server, id);
          await server.cancel(id, reason);
        })
      ),
  );
}

interface StartFlags {
  readonly id?: string;
  readonly wait?: boolean;
}

function addStart(program: Command): void {
  const command = program.command("start").summary("start an execution")
    .description("Starts an execution of a flow that an engine has loaded, and prints its id.")
    .argument("<flow>", "the flow's name").argument("[payload]", `the payload, an object: ${PAYLOAD}`)
    .option("--id <id>", "the execution's id: the same start again is then the same execution")
    .option("-w, --wait", "go along with it to its end; exit code 7 where it does not complete");
  action(command, async (scene, flow: string, payload: string | undefined, flags: StartFlags) => {
    const given = await readObject("payload", payload);
    return await scene.served(async (server) => {
      const options = flags.id === undefined ? {} : { id: flags.id };
      const id = await withProgress("starting", () => server.start(flow, given, options))
        .catch((error) => flowMissing(server, flow, error));
      if (!flags.wait) {
        scene.out.json({ id, flow });
        return scene.out.say(id);
      }
      scene.out.say(scene.out.styled(id, "bold"));
      return await waitFor(scene, server, id);
    });
  });
}

async function waitFor(scene: Scene, server: Server, id: string): Promise<number> {
  const signal = interruption();
  const ended = await follow(scene, server, { id, signal });
  if (!ended) return 130;
  const { status } = await server.get(id);
  if (status === "completed") scene.out.say(text((await server.results(id)).payload));
  return status === "completed" ? EXIT.ok : EXIT.ended;
}

function addSignal(program: Command): void {
  const command = program.command("signal").summary("send a signal to an execution")
    .description("Sends a signal to an execution. It is kept until the execution waits for it.")
    .argument("<id>", "the execution's id").argument("<name>", "the signal's name")
    .argument("[payload]", `the payload: ${PAYLOAD}`)
    .option("--once <key>", "send it once, however often this is repeated within two minutes");
  action(
    command,
    async (scene, id: string, name: string, payload: string | undefined, { once }: { once?: string }) => {
      const given = payload === undefined ? null : await readJson("payload", payload);
      await scene.served((server) =>
        done(scene, { id, signal: name }, `sent ${name} to ${id}`, async () => {
          // Before it is sent: what it does may well be to end the execution.
          const warning = await signalWarning(server, id, name);
          await server.signal(id, name, given, once === undefined ? {} : { id: once });
          return warning;
        })
      );
    },
  );
}

interface CompleteFlags {
  readonly status: Result["status"];
  readonly error?: string;
  readonly generation?: number;
}

function addComplete(program: Command): void {
  const command = program.command("complete").summary("complete a pending activity")
    .description("Completes a task, or a branch, whose invoker said `pending`.")
    .argument("<id>", "the execution's id").argument("<node>", "the task's node")
    .argument("<attempt>", "the attempt, from 0", wholeNumber).argument("[payload]", `its output: ${PAYLOAD}`)
    .addOption(new Option("--status <status>", "how it ended").choices(["ok", "error", "retry"]).default("ok"))
    .option("--error <text>", "why it failed")
    .option("--generation <number>", "the visit of the node, from the invoker's request", wholeNumber);
  action(
    command,
    async (scene, id: string, node: string, attempt: number, payload: string | undefined, flags: CompleteFlags) => {
      const { status, error, generation } = flags;
      const output = payload === undefined ? {} : { payload: await readJson("output", payload) };
      const result: Result = { status, ...output, ...(error === undefined ? {} : { error }) };
      const options = generation === undefined ? {} : { generation };
      await scene.served((server) =>
        done(scene, { id, node, attempt, status }, `sent ${status} for ${node} of ${id}`, async () => {
          const warning = await checkCompletion(server, id, { node, attempt, ...options });
          await server.completeActivity(id, node, attempt, result, options);
          return warning;
        })
      );
    },
  );
}

/** Does something, and says that it was done, and what is to be known of it where that is returned. */
async function done(
  scene: Scene,
  json: object,
  said: string,
  run: () => Promise<string | undefined | void>,
): Promise<void> {
  const warning = await withProgress("waiting for NATS", run);
  scene.out.json({ ...json, ...(warning === undefined ? {} : { warning }) });
  scene.out.say(said);
  if (warning !== undefined) scene.out.warn(warning);
}

function text(value: Json | object): string {
  return JSON.stringify(value, null, 2);
}
