import type { JetStreamAccountStats, StreamInfo } from "@nats-io/jetstream";
import { assertEquals, assertStringIncludes } from "@std/assert";
import { permissionsFor } from "../../../mod.ts";
import { checkPermissions, covers } from "./permissions.ts";
import { checkClock, checkJetStream, checkSync, checkVersion } from "./server.ts";
import { checkReplicas, checkStreams } from "./streams.ts";

Deno.test("a server that is too old, or without JetStream, is bad, with what to do", () => {
  assertEquals(checkVersion("2.15.1").state, "good");
  assertEquals(checkVersion("2.14.4-beta.1").state, "good");
  assertEquals(checkVersion("2.14.3"), {
    check: "server version",
    state: "bad",
    found: "2.14.3 is too old",
    todo: "upgrade nats-server to 2.14.4 or newer",
  });
  assertEquals(checkJetStream(false, undefined).state, "bad");
  const stats = (storage: number) => ({ storage, limits: { max_storage: 1_000 } }) as JetStreamAccountStats;
  assertEquals([100, 900].map((storage) => checkJetStream(true, stats(storage)).state), ["good", "bad"]);
});

Deno.test("what is confirmed is on the disk, on three servers, or there is advice", () => {
  assertEquals(checkSync({ sync_always: true }, 1).state, "good");
  assertEquals(checkSync({ sync_interval: 120e9 }, 3).state, "good");
  const alone = checkSync({ sync_interval: 120e9 }, 1);
  assertEquals([alone.state, alone.found], ["advice", "2 min: a power cut can lose what was confirmed in it"]);
  assertEquals(checkSync(undefined, 1).state, "unknown");
});

Deno.test("clocks may differ by less than a second, whatever the answer took", () => {
  const now = Date.parse("2026-01-01T00:00:10Z");
  const found = (time: string) => checkClock(time, now - 2_000, now).found;
  assertEquals(found("2026-01-01T00:00:09Z"), "this machine and the server agree");
  assertEquals(found("2026-01-01T00:00:07.5Z"), "this machine and the server agree");
  assertEquals(found("2026-01-01T00:00:03Z"), "this machine is 5 s ahead of the server");
  assertEquals(found("2026-01-01T00:01:10Z"), "this machine is 60 s behind the server");
  assertEquals(checkClock("soon", now, now).state, "unknown");
});

Deno.test("a user is told which roles it may play, and what it lacks for one", () => {
  const user = (role: "engine" | "worker" | "client") => {
    const { publish, subscribe, allowResponses } = permissionsFor(role);
    return {
      account: "A",
      user: role,
      permissions: {
        publish: { allow: publish },
        subscribe: { allow: subscribe },
        ...(allowResponses ? { responses: { max: 1 } } : {}),
      },
    };
  };
  assertEquals(checkPermissions(user("client"), undefined, {}).found, "account A, user client may play: client");
  assertEquals(checkPermissions(user("worker"), "worker", {}).state, "good");
  assertStringIncludes(
    checkPermissions(user("engine"), undefined, {}).found,
    "may play: engine, worker, client, observer",
  );
  assertStringIncludes(
    checkPermissions(user("client"), "async-worker", { asyncKinds: ["llm"] }).found,
    "lacks publish",
  );
  const lacking = checkPermissions(user("client"), "observer", { namespace: "packtrail" });
  assertEquals(lacking.state, "bad");
  assertStringIncludes(lacking.found, "lacks publish $JS.API.STREAM.INFO.packtrail-executions");
  assertEquals(checkPermissions(user("client"), "client", { namespace: "other" }).state, "bad");
  const denied = { permissions: { publish: { deny: ["packtrail.>"] } } };
  assertEquals(checkPermissions(denied, "client", {}).state, "bad");
  assertEquals(checkPermissions({ account: "A" }, "engine", {}).state, "advice");
});

Deno.test("a pattern covers what is as narrow or narrower", () => {
  const yes = [["a.>", "a.b.*"], ["*", "a"], ["a.*.c", "a.b.c"], [">", "a"], ["a.*", "a.*"], ["a.>", "a.>"]];
  const no = [["a.*", "a.>"], ["a.>", "a"], ["a.b", "a.*"], ["a", "a.b"], ["a.b", "a"], ["*", ">"]];
  for (const [pattern, subject] of yes) assertEquals([pattern, covers(pattern!, subject!)], [pattern, true]);
  for (const [pattern, subject] of no) assertEquals([pattern, covers(pattern!, subject!)], [pattern, false]);
});

Deno.test("streams that are missing, and copies that are away, are seen", () => {
  const stream = (name: string, replicas: number, peers: { offline?: boolean; current?: boolean }[] = []) => ({
    name,
    info: {
      config: { name, num_replicas: replicas },
      state: { messages: 2 },
      cluster: { replicas: peers.map((peer, index) => ({ name: `n${index + 2}`, current: true, ...peer })) },
    } as unknown as StreamInfo,
  });
  const none = { name: "none", info: undefined };
  assertEquals(checkStreams([stream("a", 1), none]).found, "missing: none");
  assertEquals(checkStreams([none]).state, "advice");
  assertEquals(checkStreams([{ name: "a", info: "refused" }]).state, "unknown");
  assertEquals(checkReplicas([stream("a", 3), stream("b", 3, [{}, {}])], true).state, "good");
  assertEquals(checkReplicas([stream("a", 1)], true).state, "advice");
  const away = checkReplicas([stream("a", 3, [{}, { offline: true, current: false }])], true);
  assertEquals([away.state, away.found], ["bad", "stream a: n3 is offline"]);
});
