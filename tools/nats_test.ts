import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-deno";
import { delimiter, join } from "node:path";
import { ensureNatsServer, NatsServerError, startNatsCluster, startNatsServer } from "./nats.ts";

const NATS_TS = new URL("./nats.ts", import.meta.url).href;

async function withFolder(step: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await step(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Writes a program that says it is a nats-server of the version. */
async function writeFake(folder: string, version: string): Promise<string> {
  await Deno.mkdir(folder, { recursive: true });
  const path = join(folder, "nats-server");
  await Deno.writeTextFile(path, `#!/bin/sh\necho "nats-server: v${version}"\n`);
  await Deno.chmod(path, 0o755);
  return path;
}

/** Runs `nats.ts --ensure` where only the given variables, and no network, can lead to a server. */
async function ensureElsewhere(env: Record<string, string>, copies = 1) {
  const args = ["run", "-A", "--no-config", NATS_TS, "--ensure"];
  const offline = { HTTPS_PROXY: "http://127.0.0.1:1", NO_COLOR: "1", NATS_SERVER_BIN: "" };
  const command = new Deno.Command(Deno.execPath(), { args, env: { ...offline, ...env }, stdin: "null" });
  const outputs = await Promise.all(Array.from({ length: copies }, () => command.output()));
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return outputs.map(({ code, stdout, stderr }) => ({ code, stdout: decode(stdout), stderr: decode(stderr) }));
}

async function isRefused(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return false;
  } catch (error) {
    if (error instanceof Deno.errors.ConnectionRefused) return true;
    if (error instanceof Deno.errors.ConnectionReset) return false; // it is just ending
    throw error;
  }
}

Deno.test("a server starts with JetStream on a port of its own, and stops more than once", async () => {
  await using first = await startNatsServer();
  await using second = await startNatsServer();
  assert(first.port !== second.port);
  const nc = await connect({ servers: first.url });
  assertEquals((await (await jetstreamManager(nc)).getAccountInfo()).streams, 0);
  await nc.close();
  await first.stop();
  await first.stop();
  await first.kill();
  assert(await isRefused(first.port));
});

Deno.test("text given as config overrides the defaults, also whole blocks", async () => {
  const config = `max_payload: 4096
    jetstream { max_file_store: 20MB, sync_interval: always }
    authorization { user: ada, password: secret }`;
  await using server = await startNatsServer({ config });
  const nc = await connect({ servers: server.url, user: "ada", pass: "secret" });
  assertEquals([nc.info?.max_payload, nc.info?.auth_required], [4096, true]);
  const manager = await jetstreamManager(nc);
  await manager.streams.add({ name: "small", subjects: ["small"], max_bytes: 1024 });
  await assertRejects(() => manager.streams.add({ name: "big", subjects: ["big"], max_bytes: 1024 ** 3 }));
  await nc.close();
});

Deno.test("a killed server that starts again with the same folder and port still has its streams", async () => {
  await withFolder(async (storeDir) => {
    const first = await startNatsServer({ storeDir });
    let nc = await connect({ servers: first.url });
    await (await jetstreamManager(nc)).streams.add({ name: "kept", subjects: ["kept"] });
    await nc.close();
    await first.kill();
    await using second = await startNatsServer({ storeDir, port: first.port });
    assertEquals(second.url, first.url);
    nc = await connect({ servers: second.url });
    assertEquals((await (await jetstreamManager(nc)).streams.info("kept")).config.name, "kept");
    await nc.close();
  });
});

Deno.test("a server that does not start says why, with its log", async () => {
  await using taken = await startNatsServer();
  const error = await assertRejects(() => startNatsServer({ port: taken.port }), NatsServerError);
  assertStringIncludes(error.message, "address already in use");
  await assertRejects(() => startNatsServer({ config: "max_payload: lots" }), NatsServerError, "server.conf:");
  await assertRejects(() => startNatsServer({ port: 0 }), NatsServerError, "1 to 65535");
});

Deno.test("a server ends when the process that started it is killed", async () => {
  const code = `import { startNatsServer } from "${NATS_TS}";
    console.log((await startNatsServer()).port);`;
  const parent = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", code],
    env: { NATS_SERVER_BIN: await ensureNatsServer() },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = parent.stdout.getReader();
  const port = Number(new TextDecoder().decode((await reader.read()).value));
  assert(!await isRefused(port));
  parent.kill("SIGKILL");
  await parent.status;
  await reader.cancel();
  const deadline = Date.now() + 10_000;
  while (!await isRefused(port)) assert(Date.now() < deadline, "the server outlived its parent");
});

Deno.test("three servers form a cluster that keeps a replicated stream while one is down", async () => {
  await using cluster = await startNatsCluster();
  const nc = await connect({ servers: [...cluster.urls] });
  const manager = await jetstreamManager(nc, { timeout: 10_000 });
  await manager.streams.add({ name: "three", subjects: ["three"], num_replicas: 3 });
  await nc.close();
  await cluster.nodes[0]!.stop();
  await cluster.ready();
  await cluster.nodes[0]!.restart();
  await cluster.ready();
  const again = await connect({ servers: cluster.nodes[0]!.url });
  const info = await (await jetstreamManager(again, { timeout: 10_000 })).streams.info("three");
  assertEquals(info.config.num_replicas, 3);
  await again.close();
});

Deno.test("parallel calls share one search for a server", async () => {
  const first = ensureNatsServer();
  assert(first === ensureNatsServer());
  assertEquals(await first, await ensureNatsServer());
});

Deno.test("NATS_SERVER_BIN that is too old or no server is refused, with what to do", async () => {
  await withFolder(async (folder) => {
    const old = await writeFake(folder, "2.14.3");
    for (const [binary, why] of [[old, "is nats-server 2.14.3, older than 2.14.4"], [`${old}-none`, "cannot run"]]) {
      const [run] = await ensureElsewhere({ NATS_SERVER_BIN: binary! });
      assertEquals(run!.code, 1);
      assertStringIncludes(run!.stderr, "cannot use NATS_SERVER_BIN");
      assertStringIncludes(run!.stderr, why!);
      assertStringIncludes(run!.stderr, "install nats-server 2.14.4 or newer");
    }
  });
});

Deno.test("the PATH is searched in order, and servers that are too old are skipped with a notice", async () => {
  await withFolder(async (folder) => {
    await writeFake(join(folder, "old"), "2.10.0");
    const good = await writeFake(join(folder, "good"), "2.14.4");
    await writeFake(join(folder, "later"), "2.15.0");
    const PATH = ["old", "good", "later"].map((name) => join(folder, name)).join(delimiter);
    const [run] = await ensureElsewhere({ PATH, XDG_CACHE_HOME: join(folder, "cache") });
    assertEquals(run, {
      code: 0,
      stdout: good,
      stderr: `packtrail: skipped on the PATH: ${join(folder, "old", "nats-server")} is nats-server 2.10.0, ` +
        "older than 2.14.4; looking for 2.14.4 or newer",
    });
  });
});

Deno.test("the cache folder is used when the PATH has no server", async () => {
  await withFolder(async (folder) => {
    const cached = await writeFake(join(folder, "packtrail"), "2.15.1");
    const runs = await ensureElsewhere({ PATH: "", XDG_CACHE_HOME: folder }, 2);
    for (const run of runs) assertEquals(run, { code: 0, stdout: cached, stderr: "" });
  });
});

Deno.test("when no server can be had, one error names everything that was tried", async () => {
  await withFolder(async (folder) => {
    const [run] = await ensureElsewhere({ PATH: join(folder, "empty"), XDG_CACHE_HOME: folder });
    assertEquals(run!.code, 1);
    for (
      const part of [
        "NATS_SERVER_BIN: not set",
        "PATH: no suitable",
        "cache: no ",
        "official release",
        "set NATS_SERVER_BIN",
      ]
    ) {
      assertStringIncludes(run!.stderr, part);
    }
  });
});
