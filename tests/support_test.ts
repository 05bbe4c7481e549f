import { assert, assertEquals } from "@std/assert";
import { chain, ended, inSpace, Recorder, RemoteInvoker, startEngineProcess, streamsOf } from "./support/mod.ts";

Deno.test("an engine in a process of its own runs a flow, as the test answers its attempts", () =>
  inSpace(async (space) => {
    const remote = new RemoteInvoker(space.nc, space.namespace, ({ node }) => ({ status: "ok", payload: { node } }));
    const flows = [chain("two", 2, "remote")];
    await using engine = await startEngineProcess(space, { flows });
    const server = await space.server();
    const id = await server.start("two");
    assertEquals((await ended(server, id)).payload, { node: "n1" });
    assertEquals(remote.keys, [`${id}.n0.1.0`, `${id}.n1.2.0`]);
    assert(remote.attempts.every((attempt) => attempt.owner === engine.owner));
    assertEquals(await engine.stop(), 0);
  }));

Deno.test("a space leaves nothing behind on the NATS server", () =>
  inSpace(async (outer) => {
    let namespace = "";
    await inSpace(async (space) => {
      namespace = space.namespace;
      const f = new Recorder();
      const { server } = await space.engine({ flows: [chain("one", 1)], invokers: { f: f.invoke } });
      await ended(server, await server.start("one"));
      assertEquals(f.nodes, ["n0"]);
      assert((await streamsOf(space.nc, namespace)).length > 0);
    }, { url: outer.url });
    assertEquals(await streamsOf(outer.nc, namespace), []);
  }));
