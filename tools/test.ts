/**
 * Runs the tests with no more permissions than they need, on one NATS server of their own: `deno task test`. Files and
 * options of `deno test` may be given. The last line printed is `N passed, N failed`.
 *
 * Where `NATS_URL` is set, that server is used and none is started.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { ensureNatsServer, NatsServerError, startNatsServer } from "./nats.ts";
import { parseSummary } from "./test_summary.ts";

const ROOT = dirname(import.meta.dirname!);

async function main(args: string[]): Promise<number> {
  try {
    return await prepareAndRun(args);
  } catch (error) {
    console.error(`the tests cannot be run: ${error instanceof NatsServerError ? error.message : Deno.inspect(error)}`);
    console.log("0 passed, 0 failed");
    return 1;
  }
}

async function prepareAndRun(args: string[]): Promise<number> {
  const binary = await ensureNatsServer();
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "packtrail-test-" }));
  try {
    const given = Deno.env.get("NATS_URL");
    if (given) return await runTests(args, { binary, folder, url: given });
    await using server = await startNatsServer({ storeDir: join(folder, "shared-nats") });
    return await runTests(args, { binary, folder, url: server.url });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Surroundings {
  /** The nats-server binary. */
  binary: string;
  /** The only folder that tests may write to: their folder for temporary files. */
  folder: string;
  /** The NATS server that tests share. */
  url: string;
}

async function runTests(args: string[], { binary, folder, url }: Surroundings): Promise<number> {
  const env: Record<string, string> = { NATS_URL: url, NATS_SERVER_BIN: binary };
  for (const name of ["TMPDIR", "TEMP", "TMP"]) env[name] = folder;
  if (Deno.stdout.isTerminal() && !Deno.noColor) env.FORCE_COLOR = "1";
  const command = new Deno.Command(Deno.execPath(), {
    // Most tests wait for servers and processes: side by side they take half the time.
    args: ["test", "--parallel", ...await sanitizers(), ...permissions(binary, folder), ...args],
    cwd: ROOT,
    env,
    stdin: "null",
    stdout: "piped",
  });
  const child = command.spawn();
  for (const signal of ["SIGINT", Deno.build.os === "windows" ? "SIGBREAK" : "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => endChild(child));
  }
  const output = await passOn(child.stdout);
  const { code } = await child.status;
  const { passed, failed } = parseSummary(output);
  if (passed + failed === 0) console.error("no test ran");
  console.log(`${passed} passed, ${failed} failed`);
  return code === 0 && passed + failed === 0 ? 1 : code;
}

/** A test must end what it began. Where Deno knows no option for that, it is so anyway. */
async function sanitizers(): Promise<string[]> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["test", "--help"] }).output();
  const help = new TextDecoder().decode(stdout);
  return ["--sanitize-ops", "--sanitize-resources"].filter((option) => help.includes(option));
}

/** The set `test` of deno.json, and what is known only now; a kind given here replaces the set's. */
function permissions(binary: string, folder: string): string[] {
  return [
    "--permission-set=test",
    "--no-prompt",
    `--allow-read=${ROOT},${folder}`,
    `--allow-write=${folder}`,
    `--allow-run=${Deno.execPath()},${binary},sh`,
  ];
}

/** Copies a stream to the standard output, and returns it as text. */
async function passOn(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text = (text + decoder.decode(chunk, { stream: true })).slice(-10_000);
    for (let written = 0; written < chunk.length;) written += await Deno.stdout.write(chunk.subarray(written));
  }
  return text;
}

/** Passes an interruption on; the run goes on to clean up after the tests. */
function endChild(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGTERM");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error; // it has ended
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
