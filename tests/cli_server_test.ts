/** The command with servers of its own, and as every kind of user: connections, `doctor`, `run`, `ui`. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { connect } from "@nats-io/transport-deno";
import { join } from "node:path";
import { createServer, permissionsBlock, type Role } from "../mod.ts";
import { freePorts } from "../src/nats_server/ports.ts";
import { startNatsServer } from "../tools/nats.ts";
import { packtrail, printed, printedJson, startPacktrail, withFolder } from "./support/cli.ts";
import { inSpace, until } from "./support/mod.ts";
import { credentials, operatorConfig } from "./support/operator.ts";

const FLOW = "name: greet\nnodes:\n  - {id: hello, type: task, subject: 'tasks.hello.{execution_id}'}\n";

Deno.test("the connection is that of --server, --context, NATS_URL or the selected context, in this order", async () => {
  await withFolder(async (cwd) => {
    const users = `authorization { users: [{user: ada, password: "p:w"}, {user: bob, password: secret}] }`;
    await using nats = await startNatsServer({ config: users });
    const contexts = join(cwd, ".config", "nats", "context");
    await Deno.mkdir(contexts, { recursive: true });
    const context = { url: nats.url, user: "bob", password: "secret", creds: "", nkey: "" };
    await Deno.writeTextFile(join(contexts, "work.json"), JSON.stringify(context));
    await Deno.writeTextFile(join(cwd, ".config", "nats", "context.txt"), "work");
    const address = nats.url.replace("nats://", "nats://ada:p%3Aw@");
    const nowhere = { NATS_URL: "nats://127.0.0.1:1" };
    const [selected, named, flag, variable, refused, missing] = await Promise.all([
      packtrail(["doctor", "--json"], { cwd }),
      packtrail(["doctor", "--json", "--context", "work"], { cwd, env: nowhere }),
      packtrail(["doctor", "--json", "--server", address], { cwd, env: nowhere }),
      packtrail(["doctor", "--json"], { cwd, env: { NATS_URL: address } }),
      packtrail(["doctor"], { cwd, env: { NATS_URL: nats.url } }),
      packtrail(["doctor", "--context", "play"], { cwd }),
    ]);
    const origins = [selected, named, flag, variable].map(({ stdout, stderr }) => {
      const { found } = JSON.parse(stdout || stderr)[0];
      assert(!found.includes("p%3Aw") && !found.includes("p:w"), "a password is shown");
      return /\((.*)\)/.exec(found)?.[1];
    });
    assertEquals(origins, ["context work", "context work", "--server", "NATS_URL"]);
    assertEquals([refused.code, missing.code], [6, 2]);
    assertStringIncludes(refused.stderr, "refuses the user");
    assertStringIncludes(missing.stderr, "there is no context play");
  });
});

Deno.test("a credentials file is honoured, from --creds and from NATS_CREDS", async () => {
  await withFolder(async (cwd) => {
    const operator = operatorConfig();
    await using nats = await startNatsServer({ config: operator.config });
    const path = join(cwd, "ada.creds");
    await Deno.writeTextFile(path, credentials(operator));
    const env = { NATS_URL: nats.url };
    const [without, flag, variable, missing] = await Promise.all([
      packtrail(["list"], { cwd, env }),
      packtrail(["list", "--creds", path], { cwd, env }),
      packtrail(["list", "--json"], { cwd, env: { ...env, NATS_CREDS: path } }),
      packtrail(["list", "--creds", "none.creds"], { cwd, env }),
    ]);
    assertEquals([without.code, flag.code, variable.code, missing.code], [6, 0, 0, 2], flag.stderr);
    assertEquals([flag.stdout, variable.stdout], ["no executions\n", "[]\n"]);
    assertStringIncludes(missing.stderr, "the credentials file none.creds cannot be read");
  });
});

Deno.test("doctor sees a healthy namespace as healthy, and what clients cannot see by the monitoring address", async () => {
  const [monitor] = await freePorts(1);
  const config = `http: "127.0.0.1:${monitor}"\njetstream { sync_interval: always }`;
  await using nats = await startNatsServer({ config });
  await inSpace(async (space) => {
    await space.engine({ flows: [FLOW] });
    const server = await space.server();
    await until(async () => (await server.listFlows()).length === 1);
    const args = ["doctor", "-s", nats.url, "-n", space.namespace];
    const findings = await printedJson([...args, "--monitor", `http://127.0.0.1:${monitor}`]);
    // deno-lint-ignore no-explicit-any
    const states = Object.fromEntries(findings.map((finding: any) => [finding.check, finding.state]));
    assertEquals(states, {
      connection: "good",
      "server version": "good",
      JetStream: "good",
      "sync interval": "good",
      replicas: "advice",
      clock: "good",
      permissions: "advice",
      streams: "good",
      engines: "good",
      "dead letters": "good",
    });
    const text = await printed(args);
    assertMatch(text, /\n\? sync interval +clients cannot see it; [^\n]*\n +→ name the monitoring address/);
    assertEquals((await packtrail([...args, "--monitor", "http://127.0.0.1:1"])).code, 2);
  }, { url: nats.url });
});

Deno.test("doctor says what is wrong, and what to do: missing permissions, idle engines, dead letters", async () => {
  const roles: Role[] = ["client", "observer"];
  const users = roles.map((role) => {
    const block = permissionsBlock(role).replace('"packtrail.in.>"', '"packtrail.in.>", "$SYS.REQ.USER.INFO"');
    return `{ user: ${role}, password: secret, ${block} }`;
  });
  await using nats = await startNatsServer({
    config: `authorization { users: [ {user: boss, password: secret}\n${users.join("\n")} ] }`,
  });
  const as = (user: string) => nats.url.replace("nats://", `nats://${user}:secret@`);
  const nc = await connect({ servers: nats.url, user: "boss", pass: "secret" });
  const server = await createServer(nc, { flows: [FLOW], logger: { debug() {}, info() {}, warn() {}, error() {} } });
  await server.init();
  const engine = server.run();
  nc.publish("packtrail.in.start.greet", "no json");
  await until(async () => (await server.deadLetters()).length === 1, "the dead letter");
  await server.close();
  await engine;
  await nc.close();

  const [boss, client, engineer, observer] = await Promise.all([
    packtrail(["doctor", "-s", as("boss")]),
    packtrail(["doctor", "-s", as("client"), "--role", "client"]),
    packtrail(["doctor", "-s", as("client"), "--role", "engine"]),
    packtrail(["doctor", "-s", as("observer")]),
  ]);
  assertEquals([boss.code, client.code, engineer.code], [8, 0, 8], boss.stdout + client.stdout + client.stderr);
  assertMatch(
    boss.stdout,
    /\n✘ dead letters +1, the latest: .*\n +→ `packtrail dead-letters`, then `packtrail redrive <number>`, or `packtrail discard <number>`\n/,
  );
  assertMatch(boss.stdout, /\n! engines +none works on greet\n/);
  assertMatch(client.stdout, /\n✔ permissions +account \$G, user client may play: client\n/);
  assertMatch(engineer.stdout, /\n✘ permissions +the user may not play engine: .* lacks publish packtrail\.>, /);
  assertMatch(observer.stdout, /\n\? permissions +the user may not ask for its own permissions\n/);
  assertMatch(observer.stdout, /\n✔ streams +5 there, /);
  const refused = await packtrail(["watch", "-s", as("client")]);
  assertEquals(refused.code, 6);
  assertMatch(refused.stderr, /^packtrail: watching events: .* may not subscribe to [^\n]*\nhint: .*\n$/);
  assertMatch(await printed(["dead-letters", "-s", as("boss")]), /^NUMBER +SOURCE .*\n1 +ingress /);
});

Deno.test("run works on a folder's flows with a module's invokers and handlers until it is interrupted", async () => {
  await withFolder(async (cwd) => {
    await inSpace(async (space) => {
      const module = `
        export const invokers = { twice: ({ payload }) => ({ status: "ok", payload: { n: payload.n * 2 } }) };
        export const handlers = { "tasks.hello.*": ({ payload }) => ({ status: "ok", payload: { n: payload.n + 1 } }) };`;
      await Deno.writeTextFile(join(cwd, "mine.mjs"), module);
      const flow = FLOW + "  - {id: double, type: task, invoker: twice}\nedges: [{from: hello, to: double}]\n";
      await Deno.writeTextFile(join(cwd, "flow.yaml"), flow);
      const at = { cwd, env: { NATS_URL: space.url, PACKTRAIL_NAMESPACE: space.namespace } };
      const unknown = await packtrail(["run", "flow.yaml"], at);
      assertEquals(unknown.code, 3);
      assertStringIncludes(unknown.stderr, "flow.yaml:4:39: nodes[1].invoker: no invoker of kind");
      assertMatch(unknown.stderr, /\nhint: give invokers with `--with module\.ts`; `packtrail dev` echoes/);
      await using engine = startPacktrail(["run", "flow.yaml", "--with", "mine.mjs"], at);
      await engine.printed(/"message":"engine started"/);
      assertMatch(await printed(["start", "greet", '{"n": 1}', "--wait"], at), /"n": 4\n\}\n$/);
      assertEquals(await engine.end(), 0);
      assertStringIncludes(engine.stdout, '"message":"engine stopped"');
    });
  });
});

Deno.test("ui serves the dashboard of a namespace, and watch prints what happens as it happens", async () => {
  await inSpace(async (space) => {
    const { server } = await space.engine({
      flows: [{ name: "greet", nodes: [{ id: "hello", type: "task", invoker: "echo" }] }],
      invokers: { echo: () => ({ status: "ok" }) },
    });
    const at = { env: { NATS_URL: space.url, PACKTRAIL_NAMESPACE: space.namespace } };
    await using ui = startPacktrail(["ui", "--addr", "127.0.0.1:0"], at);
    await using watch = startPacktrail(["watch", "--json", "--status", "completed"], at);
    const [, url] = await ui.printed(new RegExp(`of namespace ${space.namespace}: (http://127\\.0\\.0\\.1:\\d+/)\n`));
    const page = await fetch(url!);
    assertStringIncludes(await page.text(), space.namespace);
    let count = 0;
    await until(async () => {
      await server.start("greet", {}, { id: `w${count++}` });
      return watch.stdout !== "";
    }, "an event");
    const [first] = watch.stdout.split("\n");
    assertEquals([JSON.parse(first!).status, JSON.parse(first!).flow], ["completed", "greet"]);
    const taken = await packtrail(["ui", "--addr", new URL(url!).host], at);
    assertEquals([taken.code, taken.stdout], [2, ""]);
    assertEquals(
      taken.stderr,
      `packtrail: ${new URL(url!).host} is in use\nhint: \`--addr 127.0.0.1:0\` takes a free port\n`,
    );
    assertEquals([await ui.end(), await watch.end()], [0, 0]);
    const open = await packtrail(["ui", "--addr", "0.0.0.0:0"], at);
    assertEquals(open.code, 3);
    assertStringIncludes(open.stderr, "token");
  });
});
