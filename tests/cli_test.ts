/** The command, as a child process: what it does, what it prints for people and for programs, how it ends. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { permissionsBlock, permissionsFor, type Role } from "../mod.ts";
import { packtrail, printed, printedJson, type Surroundings, withFolder } from "./support/cli.ts";
import { inSpace, type Space, until } from "./support/mod.ts";

const FLOW = {
  name: "approval",
  nodes: [
    { id: "ask", type: "task" as const, invoker: "echo" },
    { id: "wait", type: "signal" as const, signalName: "approved" },
    { id: "pay", type: "task" as const, invoker: "bank" },
  ],
  edges: [{ from: "ask", to: "wait" }, { from: "wait", to: "pay" }],
};

/** A namespace with an engine at work, and commands that find it. */
async function inTown(run: (space: Space, at: Surroundings) => Promise<void>): Promise<void> {
  await inSpace(async (space) => {
    let isBroke = true;
    await space.engine({
      flows: [FLOW, { name: "greet", nodes: [{ id: "hello", type: "task", invoker: "echo" }] }],
      invokers: {
        echo: ({ payload }) => ({ status: "ok", payload }),
        bank: () => {
          const result = isBroke ? { status: "error" as const, error: "no money" } : { status: "pending" as const };
          isBroke = false;
          return result;
        },
      },
    });
    await run(space, { env: { NATS_URL: space.url, PACKTRAIL_NAMESPACE: space.namespace } });
  });
}

Deno.test("an execution is started, signalled, resumed, completed and looked at from the command line", async () => {
  await inTown(async (space, at) => {
    const server = await space.server();
    const status = (wanted: string) =>
      until(async () => (await server.get("e1").catch(() => undefined))?.status === wanted, `e1 to be ${wanted}`);

    assertEquals(await printed(["start", "approval", '{"sum": 5}', "--id", "e1"], at), "e1\n");
    await status("waiting");
    const shown = await printed(["get", "e1"], at);
    assertMatch(shown, /^id +e1\nflow +approval\nstatus +waiting\nnode +wait\n/);
    assertMatch(shown, /waits for +signal approved\n/);
    assert(!shown.includes("\x1b"), "there is colour where there is no terminal");

    assertEquals(await printed(["signal", "e1", "approved", "-"], { ...at, input: "[true]" }), "sent approved to e1\n");
    await status("failed");
    const failed = await printedJson(["get", "e1"], at);
    assertEquals([failed.status, failed.currentNode, failed.error], ["failed", "pay", "no money"]);
    assertMatch(
      await printed(["list", "--status", "failed"], at),
      /^ID +FLOW +STATUS .*\ne1 +approval +failed +pay .* no money\n/,
    );

    assertEquals(await printed(["resume", "e1"], at), "resumed e1\n");
    await status("waiting");
    assertEquals(await printedJson(["complete", "e1", "pay", "0", '{"paid": 5}'], at), {
      id: "e1",
      node: "pay",
      attempt: 0,
      status: "ok",
    });
    await status("completed");
    const { payload, signals } = JSON.parse(await printed(["results", "e1"], at));
    assertEquals([payload, signals], [{ paid: 5 }, { approved: [true] }]);
    const history = await printedJson(["history", "e1"], at);
    assertEquals(history.map(({ node }: { node: string }) => node)[0], "ask");
    assertEquals(history.at(-1).status, "completed");
    assertMatch(await printed(["history", "e1"], at), /^TIME +STATUS +NODE +ATTEMPT +ERROR\n[\d-]+ [\d:]+\.\d{3} /);

    await printed(["start", "approval", "--id", "e2"], at);
    assertEquals(await printed(["cancel", "e2", "enough"], at), "cancelled e2\n");
    assertEquals((await printedJson(["list", "--flow", "approval", "--limit", "1"], at))[0].executionId, "e2");
    assertEquals((await printedJson(["flows"], at)).approval, {
      running: 0,
      waiting: 0,
      completed: 1,
      failed: 0,
      cancelled: 1,
    });
  });
});

Deno.test("start --wait and watch go along with an execution to its end, and the exit code says which", async () => {
  await inTown(async (_space, at) => {
    const [good, bad] = await Promise.all([
      packtrail(["start", "greet", '{"name": "Ada"}', "--id", "g1", "--wait"], at),
      packtrail(["signal", "g2", "approved"], at)
        .then(() => packtrail(["start", "approval", "--id", "g2", "--wait", "--json"], at)),
    ]);
    assertEquals([good.code, bad.code], [0, 7], good.stderr + bad.stderr);
    assertMatch(good.stdout, /^g1\n(\d\d:\d\d:\d\d\.\d{3} {2}\w+ +hello\n)+\{\n {2}"name": "Ada"\n\}\n$/);
    const events = bad.stdout.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals([events.at(-1).status, events.at(-1).error], ["failed", "no money"]);
    const watched = await packtrail(["watch", "g1"], at);
    assertEquals(watched.code, 0, watched.stderr);
    assertMatch(watched.stdout, /completed {2}hello\n$/);
  });
});

Deno.test("recurring schedules are made, listed and removed", async () => {
  await inTown(async (_space, at) => {
    const made = await printed(["schedule", "nightly", "greet", "0 0 3 1 1 *", "--time-zone", "Europe/Berlin"], at);
    assertMatch(made, /^scheduled nightly, next at \d{4}-01-01 02:00:00\n$/);
    assertMatch(
      await printed(["schedules"], at),
      /ZONE +NEXT \(LOCAL\) +LAST \(LOCAL\)\nnightly +greet +0 0 3 1 1 \* +Europe\/Berlin /,
    );
    assertEquals((await printedJson(["schedules"], at))[0].name, "nightly");
    assertEquals(await printed(["unschedule", "nightly"], at), "removed nightly\n");
    assertEquals(await printed(["schedules"], at), "no schedules\n");
    const [gone, bad] = await Promise.all([
      packtrail(["unschedule", "nightly"], at),
      packtrail(["schedule", "n", "greet", "every day"], at),
    ]);
    assertEquals([gone.code, bad.code], [4, 3]);
    assertStringIncludes(bad.stderr, "six fields");
  });
});

Deno.test("mistakes end with the documented codes, one message and a hint, and no stack trace", async () => {
  await inTown(async (_space, at) => {
    await printed(["start", "greet", "--id", "m1"], at);
    const nowhere = { env: { NATS_URL: "nats://127.0.0.1:1" } };
    const mistakes: [args: string[], code: number, says: RegExp, where?: Surroundings][] = [
      [["strat"], 2, /unknown command 'strat'; Did you mean start\?/],
      [["start"], 2, /missing required argument 'flow'/],
      [["list", "--limit", "none"], 2, /whole number/],
      [["list", "--status", "lost"], 2, /Allowed choices are running, waiting/],
      [["start", "greet", "{name: Ada}"], 3, /the payload is not JSON/],
      [["start", "greet", "[1]"], 3, /must be a JSON object/],
      [["signal", "m1", "approved", "{"], 3, /the payload is not JSON/],
      [["complete", "m1", "hello", "0", "{"], 3, /the output is not JSON/],
      [["schedule", "n", "greet", "0 0 3 * * *", "1"], 3, /must be a JSON object/],
      [["start", "greet", "@nowhere.json"], 2, /cannot be read from nowhere\.json/],
      [["get", "no such"], 3, /not a legal name/],
      [["get", "nobody"], 4, /there is no execution nobody/],
      [["start", "nothing"], 4, /there is no flow nothing\nhint: `packtrail flows` lists them/],
      [["start", "gret"], 4, /there is no flow gret; did you mean "greet"\?\nhint: `packtrail flows` lists them/],
      [["schedule", "n", "aproval", "0 0 3 * * *"], 4, /there is no flow aproval; did you mean "approval"\?/],
      [["graph", "greeet"], 4, /there is no flow greeet; did you mean "greet"\?/],
      [["history", "nobody"], 4, /nothing is known of nobody/],
      [["start", "greet", '{"a": 1}', "--id", "m1"], 5, /exists with another payload/],
      [["resume", "m1"], 5, /not failed/],
      [["list"], 6, /cannot connect to NATS at nats:\/\/127\.0\.0\.1:1 \(NATS_URL\)/, nowhere],
      [["list", "--context", "nowhere"], 2, /there is no context nowhere/],
    ];
    await inGroups(mistakes, async ([args, code, says, where]) => {
      const ended = await packtrail(args, where ?? at);
      assertEquals([ended.code, ended.stdout], [code, ""], `${args.join(" ")}: ${ended.stderr}`);
      assertMatch(ended.stderr, says);
      assert(/^packtrail: .+\n(hint: .+\n)?$/.test(ended.stderr), ended.stderr);
    });
    const { code, stderr } = await packtrail(["get", "nobody", "--json"], at);
    assertEquals(code, 4);
    assertEquals(JSON.parse(stderr).error.code, "NOT_FOUND");
  });
});

/** Does something with each, a few at a time. */
async function inGroups<T>(items: readonly T[], run: (item: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < items.length; at += 4) await Promise.all(items.slice(at, at + 4).map(run));
}

Deno.test("validate names file, line and column of every mistake, and its exit code is for CI", async () => {
  await withFolder(async (cwd) => {
    await Deno.mkdir(join(cwd, "flows"));
    await Deno.writeTextFile(join(cwd, "flows", "good.yaml"), "name: good\nnodes: [{id: a, type: task, subject: s}]\n");
    const bad = "name: bad\nnodes:\n  - {id: a, type: task, invoker: agent, timeot: 1s}\n  - {id: b, type: tusk}\n";
    await Deno.writeTextFile(join(cwd, "flows", "bad.yml"), bad);
    const all = await packtrail(["validate"], { cwd });
    assertEquals([all.code, all.stderr], [3, ""]);
    assertEquals(all.stdout.split("\n").slice(0, 2).map((line) => line.split(/; did|, not/)[0]), [
      "flows/bad.yml:3:41: nodes[0].timeot: is not a field of a task",
      "flows/bad.yml:4:19: nodes[1].type: must be `task`, `fanout`, `fanin`, `choice` or `signal`",
    ]);
    assertStringIncludes(all.stdout, "flows/good.yaml: valid, good\n1 valid, 1 not\n");
    const json = await packtrail(["validate", "flows/bad.yml", "--json"], { cwd });
    assertEquals(json.code, 3);
    const [{ file, valid, issues }] = JSON.parse(json.stdout);
    assertEquals([file, valid, issues[0].line, issues[0].column], ["flows/bad.yml", false, 3, 41]);
    assertEquals(await printed(["validate", "flows/good.yaml"], { cwd }), "flows/good.yaml: valid, good\n1 valid\n");

    await Deno.writeTextFile(join(cwd, "kinds.yaml"), "name: k\nnodes: [{id: a, type: task, invoker: agnet}]\n");
    const kinds = await packtrail(["validate", "kinds.yaml", "--kinds", "agent,http"], { cwd });
    assertStringIncludes(kinds.stdout, 'did you mean "agent"?');
    await Deno.writeTextFile(
      join(cwd, "flows", "bad.yml"),
      "# again\nname: good\nnodes: [{id: a, type: task, subject: s}]",
    );
    const twice = await packtrail(["validate", "flows"], { cwd });
    assertEquals(twice.code, 3);
    assertStringIncludes(twice.stdout, "flows/good.yaml:1:1: name: is the name of flows/bad.yml too");
    assertEquals((await packtrail(["validate", "nowhere"], { cwd })).code, 2);
    const overlapping = await packtrail(["validate", "kinds.yaml", "flows/good.yaml", "flows/", "./kinds.yaml"], {
      cwd,
    });
    assertEquals(overlapping.stdout.match(/^[\w/]+\.yaml: /gm), ["kinds.yaml: ", "flows/good.yaml: "]);
    const folder = await packtrail(["graph", "flows", "-s", "127.0.0.1:1"], { cwd });
    assertEquals([folder.code, folder.stderr.split("\n")[0]], [
      2,
      "packtrail: flows is a folder: name the file of a flow",
    ]);
  });
});

Deno.test("graph draws a flow from a file, or one that an engine has loaded, in every format", async () => {
  await inTown(async (_space, at) => {
    const [loaded, mermaid, dot, svg] = await Promise.all([
      printed(["graph", "approval"], at),
      printed(["graph", "flows/approval.yaml", "--format", "mermaid"]),
      printed(["graph", "flows/approval.yaml", "--format", "dot"]),
      printed(["graph", "flows/approval.yaml", "--format", "svg"]),
    ]);
    assertEquals(loaded, "approval\nask (echo)\n↓ wait (signal approved)\n↓ pay (bank)\n");
    assertMatch(mermaid, /^flowchart TD\n {2}n0\["submit<br/);
    assertStringIncludes(mermaid, `n3 -->|"signals.approval.approved == true"| n4`);
    assertStringIncludes(mermaid, `n1 -->|"timeout"| n2`);
    assertMatch(dot, /^digraph "approval" \{\n[^]*"decide" -> "reject" \[label="else"\];[^]*\}\n$/);
    assertMatch(svg, /^<svg [^<]*>\s*<style[^]*<\/svg>\n$/);
    const { nodes, edges } = await printedJson(["graph", "flows/approval.yaml"]);
    assertEquals([nodes.length, edges.length], [6, 6]);
  });
});

Deno.test("permissions prints the block that a role needs", async () => {
  for (const role of ["engine", "client"] as Role[]) {
    assertEquals(
      await printed(["permissions", "--role", role, "-n", "shop"]),
      permissionsBlock(role, { namespace: "shop" }) + "\n",
    );
  }
  assertEquals(
    await printedJson(["permissions", "--role", "worker", "--tasks", "a.*, b"]),
    JSON.parse(JSON.stringify(permissionsFor("worker", { tasks: ["a.*", "b"] }))),
  );
});

Deno.test("help says what each command takes, and completions know every command and flag", async () => {
  const help = await printed(["--help"]);
  for (const part of ["NATS_URL", "Exit codes:", "doctor", "dead-letters"]) assertStringIncludes(help, part);
  const start = await printed(["start", "--help"]);
  for (const part of ["<flow>", "--wait", "--namespace", "@file"]) assertStringIncludes(start, part);
  const [bash, zsh, fish] = await Promise.all(["bash", "zsh", "fish"].map((shell) => printed(["completions", shell])));
  const list = help.slice(help.indexOf("\nCommands:"), help.indexOf("\nSurroundings:"));
  const commands = [...list.matchAll(/^ {2}([a-z-]+)(?:\|ls)? .* {2}\S/gm)].map(([, name]) => name!)
    .filter((name) => name !== "help");
  assert(commands.length > 20, commands.join());
  for (const name of commands) {
    assertStringIncludes(bash!, `    ${name})`);
    assertStringIncludes(zsh!, `    '${name}:`);
    assertStringIncludes(fish!, `-a ${name} -d `);
  }
  assertStringIncludes(bash!, "--status) words=");
  assertStringIncludes(fish!, "-l namespace");
});

Deno.test("schema prints what flow.schema.json holds", async () => {
  assertEquals(await printed(["schema"]), await Deno.readTextFile(new URL("../flow.schema.json", import.meta.url)));
});

Deno.test("--version prints the version of the package", async () => {
  const { version } = JSON.parse(await Deno.readTextFile(new URL("../deno.json", import.meta.url)));
  assertEquals(await printed(["--version"]), `${version}\n`);
});
