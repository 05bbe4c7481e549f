/** `packtrail dev`: everything for development in one process, and what goes wrong while it runs. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { join } from "node:path";
import { DevEngine } from "../src/cli/engine/dev.ts";
import { packtrail, printed, startPacktrail, withFolder } from "./support/cli.ts";
import { inSpace, until } from "./support/mod.ts";

const FLOW = "name: greet\nnodes:\n  - {id: hello, type: task, subject: 'tasks.hello.{execution_id}'}\n";
const FREE = ["--port", "0", "--ui-port", "0"];

Deno.test("dev brings everything, echoes tasks, loads changed flows again, and ends cleanly", async () => {
  await withFolder(async (cwd) => {
    await Deno.mkdir(join(cwd, "flows"));
    await Deno.writeTextFile(join(cwd, "flows", "greet.yaml"), FLOW);
    await using dev = startPacktrail(["dev", "--port", "0", "--ui-port", "0", "--delay", "1"], { cwd });
    const [, url] = await dev.printed(/^NATS +(nats:\/\/127\.0\.0\.1:\d+)\n/);
    const [, dashboard] = await dev.printed(/\nDashboard +(http:\S+)\n/);
    await dev.printed(/\nFlows +greet\n/);
    const healthy = await fetch(`${dashboard}healthz`);
    assertEquals((await healthy.text(), healthy.status), 200);

    const at = { cwd, env: { NATS_URL: url! } };
    assertMatch(await printed(["start", "greet", '{"a": 1}', "--id", "d1", "--wait"], at), /"a": 1\n\}\n$/);
    await dev.printed(/ d1 {2}greet {2}completed {2}hello\n/);

    await Deno.writeTextFile(join(cwd, "flows", "greet.yaml"), FLOW.replace("task,", "tusk,"));
    await dev.printed(/not loaded, the ones before go on:\n +flows\/greet\.yaml:3:23: nodes\[0\]\.type: must be/);
    await Deno.writeTextFile(join(cwd, "flows", "greet.yaml"), FLOW.replace("hello,", "welcome,"));
    await Deno.writeTextFile(
      join(cwd, "flows", "more.yaml"),
      FLOW.replace("greet", "more").replace("type: task", "type: task, invoker: agent").replace("subject", "target"),
    );
    await dev.printed(/\nFlows +greet, more\n/);
    await printed(["start", "more", "--id", "d2", "--wait"], at);
    await printed(["start", "greet", "--id", "d3", "--wait"], at);
    await dev.printed(/ d3 {2}greet {2}completed {2}welcome\n/);
    assertEquals(await dev.end(), 0);
    const port = Number(new URL(url!).port);
    const answer = await Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => conn.close(), (error) => error);
    assert(answer instanceof Deno.errors.ConnectionRefused, "the NATS server still listens");
  });
});

Deno.test("dev looks at its paths before anything begins", async () => {
  await withFolder(async (cwd) => {
    const missing = await packtrail(["dev", "helo", ...FREE], { cwd });
    assertEquals(missing, {
      code: 2,
      stdout: "",
      stderr: "packtrail: cannot read helo: there is no such file or folder\n",
    });
  });
});

Deno.test("dev goes on with an empty folder, and with one that is removed and made anew", async () => {
  await withFolder(async (cwd) => {
    const folder = join(cwd, "flows");
    await Deno.mkdir(folder);
    await using dev = startPacktrail(["dev", ...FREE, "--no-ui"], { cwd });
    await dev.printed(/\nFlows +not loaded:\n +there is no \*\.yaml or \*\.yml file in flows\nTry /);
    await Deno.writeTextFile(join(folder, "greet.yaml"), FLOW);
    await dev.printed(/\nFlows +greet\n/);
    await Deno.remove(folder, { recursive: true });
    await dev.printed(/not loaded, the ones before go on:\n +cannot read flows: there is no such file or folder\n/);
    await Deno.mkdir(folder);
    await Deno.writeTextFile(join(folder, "again.yaml"), FLOW.replace("greet", "again"));
    await dev.printed(/\nFlows +again\n/);
    assertEquals([await dev.end(), dev.stderr], [0, ""]);
  });
});

Deno.test("flows that the NATS server kept from being loaded are loaded when it can, without another edit", () =>
  withFolder((cwd) =>
    inSpace(async (space) => {
      await Deno.writeTextFile(join(cwd, "greet.yaml"), FLOW);
      const { streams } = await jetstreamManager(space.nc);
      const name = space.names.eventStream;
      await streams.add({ name, subjects: [`${space.namespace}.events.>`] }); // no engine begins on this one
      const told: string[] = [];
      let tries = 0;
      const extension = {
        invokers: {},
        asyncInvokers: {},
        get handlers() {
          tries++;
          return {};
        },
      };
      const engine = new DevEngine(space.nc, {
        namespace: space.namespace,
        paths: [cwd],
        extension,
        loaded: (_files, error) => told.push(error === undefined ? "loaded" : (error as Error).name),
      });
      const ending = new AbortController();
      const watching = engine.watch(ending.signal);
      try {
        await until(() => tries >= 3, "two more tries");
        assertEquals(told, ["ServerVersionError"], "it is told of once");
        await streams.delete(name);
        await until(() => told.at(-1) === "loaded", "the flows to be loaded");
      } finally {
        ending.abort();
        await watching;
        await engine.close();
      }
    })
  ));

Deno.test("dev says that the dashboard's port is in use, and begins nothing", async () => {
  await withFolder(async (cwd) => {
    await Deno.writeTextFile(join(cwd, "greet.yaml"), FLOW);
    const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr as Deno.NetAddr;
    const ended = await packtrail(["dev", "greet.yaml", "--port", "0", "--ui-port", String(port)], { cwd })
      .finally(() => taken.close());
    assertEquals(ended.code, 2);
    assertMatch(ended.stdout, /^NATS +\S+\n$/);
    assertEquals(
      ended.stderr,
      `packtrail: 127.0.0.1:${port} is in use\n` +
        "hint: `--ui-port 0` takes a free port, `--no-ui` leaves the dashboard out\n",
    );
  });
});

Deno.test("dev says what it has given up on", async () => {
  await withFolder(async (cwd) => {
    await Deno.writeTextFile(join(cwd, "greet.yaml"), FLOW);
    await using dev = startPacktrail(["dev", "greet.yaml", ...FREE, "--no-ui", "--delay", "1"], { cwd });
    const [, url] = await dev.printed(/^NATS +(\S+)\n/);
    await dev.printed(/\nTry /);
    const at = { cwd, env: { NATS_URL: url! } };
    await printed(["start", "greet", "--id", "d1", "--wait"], at);
    const late = await packtrail(["signal", "d1", "ready"], at);
    assertEquals([late.code, late.stderr], [0, "warning: d1 is completed: the signal is a dead letter\n"]);
    await until(() => dev.stderr !== "", "a line about it");
    assertStringIncludes(dev.stderr, 'warning: given up on: a dead letter {"source":"signal","key":"d1","reason":');
  });
});
