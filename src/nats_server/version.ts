import { NatsServerError, reason } from "./errors.ts";
import { type Ended, execute } from "./execute.ts";

/** The oldest nats-server packtrail runs on: older ones get compare-and-set with a subject filter wrong. */
export const MIN_VERSION = "2.14.4";

/** What to do about a missing or old server, as the end of an error message. */
export const ADVICE = `install nats-server ${MIN_VERSION} or newer (https://github.com/nats-io/nats-server/releases) ` +
  "and put it on the PATH, or set NATS_SERVER_BIN to it";

/** Whether a version such as `2.15.1` is {@linkcode MIN_VERSION} or newer. */
export function isSupported(version: string): boolean {
  const [actual, least] = [version, MIN_VERSION].map((text) => text.split(".").map(Number));
  for (const [index, wanted] of least!.entries()) {
    const part = actual![index] ?? 0;
    if (part !== wanted) return part > wanted;
  }
  return true;
}

/**
 * Runs `binary --version` and returns the version, such as `2.15.1`.
 *
 * @throws {NatsServerError} Where it does not run, or says nothing of the kind.
 */
export async function readVersion(binary: string): Promise<string> {
  let ended: Ended;
  try {
    ended = await execute(binary, ["--version"], { timeout: 10_000 });
  } catch (error) {
    throw new NatsServerError("NOT_FOUND", `cannot run ${binary}: ${reason(error)}`, { cause: error });
  }
  const text = ended.stdout.trim();
  const version = /^nats-server:? v?(\d+\.\d+\.\d+)/m.exec(text)?.[1];
  if (version) return version;
  const said = text || ended.stderr.trim();
  throw new NatsServerError("NOT_FOUND", `${binary} is no nats-server: \`--version\` printed ${JSON.stringify(said)}`);
}

/**
 * Returns the version of a binary that packtrail can run on.
 *
 * @throws {NatsServerError} Where it does not run (`NOT_FOUND`) or is too old (`VERSION`).
 */
export async function checkVersion(binary: string): Promise<string> {
  const version = await readVersion(binary);
  if (isSupported(version)) return version;
  throw new NatsServerError("VERSION", `${binary} is nats-server ${version}, older than ${MIN_VERSION}`);
}
