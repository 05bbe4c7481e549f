/** Programs of the guide in processes of their own: a project that links a checkout, a worker that ends when it is told. */

import { assertEquals } from "@std/assert";
import { join } from "node:path";
import { connect } from "@nats-io/transport-deno";
import { freePorts } from "../src/nats_server/ports.ts";
import { startNatsServer } from "../tools/nats.ts";
import { withFolder } from "./support/cli.ts";
import { blocks, readDocument, ROOT } from "./support/documents.ts";
import { PATIENCE_MS, until } from "./support/mod.ts";

/** A program in a folder, as its owner would run it. */
function run(cwd: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...args],
    cwd,
    env: { NO_COLOR: "1", FORCE_COLOR: "" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

Deno.test("a project of one's own runs on a checkout with the deno.json of docs/runtimes.md", () =>
  withFolder(async (cwd) => {
    const text = await readDocument("docs/runtimes.md");
    const [config] = blocks("json", text, "a project's deno.json");
    const [program] = blocks("ts", text, "a project's program");
    await Deno.writeTextFile(join(cwd, "deno.json"), config!.replaceAll("../packtrail", ROOT));
    await Deno.writeTextFile(join(cwd, "main.ts"), program!);
    const decoder = new TextDecoder();
    for (const [main, printed] of [["main.ts", "greet completed function\n"], ["@packtrail/core/cli", undefined]]) {
      const { code, stdout, stderr } = await run(cwd, [main!, ...printed === undefined ? ["--version"] : []]).output();
      assertEquals(code, 0, decoder.decode(stderr));
      if (printed !== undefined) assertEquals(decoder.decode(stdout), printed);
    }
  }));

Deno.test("the worker of docs/workers.md waits for its server, answers, and ends when it is told", () =>
  withFolder(async (cwd) => {
    const [program] = blocks("ts", await readDocument("docs/workers.md"));
    const [port] = await freePorts(1);
    await Deno.writeTextFile(join(cwd, "worker.ts"), program!.replace("127.0.0.1:4222", `127.0.0.1:${port}`));
    const early = Deno.listen({ hostname: "127.0.0.1", port: port! });
    const worker = run(cwd, ["--config", join(ROOT, "deno.json"), "worker.ts"]);
    const timer = setTimeout(() => worker.kill("SIGKILL"), PATIENCE_MS);
    // There is no NATS server yet: whoever tries is turned away.
    (await early.accept()).close();
    early.close();
    await using nats = await startNatsServer({ port: port! });
    const nc = await connect({ servers: nats.url });
    const request = JSON.stringify({
      ...{ execution_id: "e1", node_id: "greet", payload: { name: "Ada" }, attempt: 0, generation: 1 },
      deadline: "2999-01-01T00:00:00Z",
    });
    const reply = await until(
      () => nc.request("packtrail.tasks.greet.e1", request, { timeout: 5_000 }).catch(() => undefined),
      "an answer",
    );
    assertEquals(reply.json(), { status: "ok", payload: { greeting: "Hello, Ada!" } });
    worker.kill("SIGTERM");
    const { code, stderr } = await worker.output().finally(() => clearTimeout(timer));
    assertEquals([code, new TextDecoder().decode(stderr)], [0, ""]);
    await nc.close();
  }));
