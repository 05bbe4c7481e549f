import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import { PermissionError, ServerVersionError } from "../mod.ts";
import { startNatsServer } from "../tools/nats.ts";
import { chain, connectTo, inSpace, streamsOf } from "./support/mod.ts";
import { createServer, type ServerOptions } from "../mod.ts";

const options = (): ServerOptions => ({
  flows: [chain("one", 1)],
  invokers: { f: () => ({ status: "ok" }) },
  logger: { debug() {}, info() {}, warn() {}, error() {} },
});

Deno.test("init sets everything up at once, and may be called by many, many times", () =>
  inSpace(async (space) => {
    const servers = await Promise.all(
      Array.from({ length: 8 }, async () => space.server(options(), await space.connect())),
    );
    assertEquals(await streamsOf(space.nc, space.namespace), []);
    await Promise.all(servers.map((server) => server.init()));
    const { namespace } = space;
    const streams = await streamsOf(space.nc, namespace);
    for (const kind of ["executions", "inbox", "events", "data", "dead-letters"]) {
      assert(streams.includes(`${namespace}-${kind}`), kind);
    }
    assert(streams.includes(`KV_${namespace}-flows`));
    await Promise.all(servers.map((server) => server.init()));
    assertEquals(await streamsOf(space.nc, namespace), streams);
  }));

Deno.test("instances with other leases may set up at once, too", () =>
  inSpace(async (space) => {
    const servers = await Promise.all(
      Array.from({ length: 12 }, async (_, index) =>
        space.server({ ...options(), leaseTtl: 1_000 * (1 + index) }, await space.connect())),
    );
    await Promise.all(servers.map((server) =>
      server.init()
    ));
    const jsm = await jetstreamManager(space.nc);
    const { config } = await jsm.consumers.info(space.names.executionStream(), space.names.flowConsumer("one"));
    assert(config.ack_wait! >= nanos(1_000) && config.ack_wait! <= nanos(12_000), `${config.ack_wait}`);
  }));

Deno.test("a NATS server without JetStream is refused at once, with what to do", async () => {
  await using nats = await startNatsServer({ config: "jetstream: disabled" });
  const nc = await connectTo(nats.url);
  try {
    const server = await createServer(nc, options());
    for (const call of [() => server.init(), () => server.run(), () => server.start("one")]) {
      const error = await assertRejects(call, ServerVersionError, "JetStream");
      assertEquals(error.code, "SERVER_VERSION");
    }
  } finally {
    await nc.close();
  }
});

Deno.test("a connection whose user may not set streams up is refused at once, with what is missing", async () => {
  const config = `authorization { users: [
    { user: all, password: p }
    { user: reader, password: p, permissions: { publish: { deny: ["$JS.API.STREAM.CREATE.>"] } } }
    { user: nobody, password: p, permissions: { publish: "nothing", subscribe: "_INBOX.>" } }
  ] }`;
  await using nats = await startNatsServer({ config });
  for (const user of ["reader", "nobody"]) {
    const nc = await connectTo(nats.url, { user, pass: "p" });
    try {
      const server = await createServer(nc, options());
      const error = await assertRejects(() => server.init(), PermissionError, "may not publish $JS.API.STREAM.");
      assertEquals(error.code, "PERMISSION");
      await assertRejects(() => server.run(), PermissionError);
    } finally {
      await nc.close();
    }
  }
  await inSpaceOf(nats.url);
});

/** After the refusals, a user who may does. */
async function inSpaceOf(url: string): Promise<void> {
  const nc = await connectTo(url, { user: "all", pass: "p" });
  try {
    await (await createServer(nc, options())).init();
    assertEquals((await streamsOf(nc, "packtrail")).length >= 6, true);
  } finally {
    await nc.close();
  }
}

Deno.test("a NATS server that is too old is refused at once, with the version that is needed", async () => {
  for (const version of ["2.9.25", "2.14.3"]) {
    await using nats = oldServer(version);
    const nc = await connectTo(nats.url);
    try {
      const server = await createServer(nc, options());
      const error = await assertRejects(() => server.init(), ServerVersionError, version);
      assertStringIncludes(error.message, "2.14.4");
      await assertRejects(() => server.run(), ServerVersionError);
    } finally {
      await nc.close();
    }
  }
});

/** As much of a NATS server as greets a client, and says which version it is. */
function oldServer(version: string): AsyncDisposable & { url: string } {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const info = { server_id: "old", version, proto: 1, headers: true, jetstream: true, max_payload: 1_048_576, port };
  const text = (line: string) => new TextEncoder().encode(`${line}\r\n`);
  const greet = async (conn: Deno.Conn) => {
    await conn.write(text(`INFO ${JSON.stringify({ ...info, host: "127.0.0.1" })}`));
    const decoder = new TextDecoder();
    for await (const chunk of conn.readable) {
      for (const _ping of decoder.decode(chunk).matchAll(/PING\r\n/g)) await conn.write(text("PONG"));
    }
  };
  const serving = (async () => {
    const greeted: Promise<void>[] = [];
    for await (const conn of listener) greeted.push(greet(conn).catch(() => {}));
    await Promise.all(greeted);
  })();
  const end = async () => {
    listener.close();
    await serving;
  };
  return { url: `nats://127.0.0.1:${port}`, [Symbol.asyncDispose]: end };
}

Deno.test("a stream of the namespace's that is somebody else's is refused, with what it lacks", () =>
  inSpace(async (space) => {
    const jsm = await jetstreamManager(space.nc);
    const name = space.names.eventStream;
    await jsm.streams.add({ name, subjects: [`${space.namespace}.events.>`] }); // as the Go original has it
    const server = await space.server();
    const error = await assertRejects(() => server.init(), ServerVersionError, `stream ${name} exists without subject`);
    assertStringIncludes(error.message, "use another namespace");
  }));
