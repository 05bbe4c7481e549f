import { delimiter, join, resolve } from "node:path";
import process from "node:process";
import { installDebianPackage, SUITE } from "./debian.ts";
import { NatsServerError, reason } from "./errors.ts";
import { BINARY_NAME, cacheFolder, environment, isFile } from "./files.ts";
import { installRelease, RELEASE } from "./release.ts";
import { ADVICE, checkVersion, MIN_VERSION } from "./version.ts";

let pending: Promise<string> | undefined;

/**
 * The path of a nats-server that packtrail can run on. Looks at `NATS_SERVER_BIN`, the PATH and a cache folder; where
 * none has one, fetches the official release, or else Debian's package, into the cache folder.
 *
 * Calls in one process share one search; processes that provision at the same time do not disturb each other.
 *
 * @throws {NatsServerError} Where `NATS_SERVER_BIN` names no usable server, or none can be had; says what was tried.
 */
export function ensureNatsServer(): Promise<string> {
  pending ??= findOrProvision().catch((error) => {
    pending = undefined;
    throw error;
  });
  return pending;
}

async function findOrProvision(): Promise<string> {
  const chosen = environment("NATS_SERVER_BIN");
  if (chosen !== undefined) return await checkChosen(/[/\\]/.test(chosen) ? resolve(chosen) : chosen);
  const tried = ["NATS_SERVER_BIN: not set"];
  const found = await findOnPath(tried) ?? await findInCache(tried);
  return found ?? await provision(tried);
}

async function checkChosen(binary: string): Promise<string> {
  try {
    await checkVersion(binary);
    return binary;
  } catch (error) {
    const code = error instanceof NatsServerError ? error.code : "NOT_FOUND";
    throw new NatsServerError(code, `cannot use NATS_SERVER_BIN: ${reason(error)}; ${ADVICE}`, { cause: error });
  }
}

async function findOnPath(tried: string[]): Promise<string | undefined> {
  for (const folder of (environment("PATH") ?? "").split(delimiter)) {
    const path = join(folder, BINARY_NAME);
    if (folder === "" || !await isFile(path)) continue;
    try {
      await checkVersion(path);
      return path;
    } catch (error) {
      tried.push(`PATH: ${reason(error)}`);
      console.error(`packtrail: skipped on the PATH: ${reason(error)}; looking for ${MIN_VERSION} or newer`);
    }
  }
  tried.push("PATH: no suitable nats-server");
  return undefined;
}

async function findInCache(tried: string[]): Promise<string | undefined> {
  const path = cachedBinary();
  if (!await isFile(path)) {
    tried.push(`cache: no ${path}`);
    return undefined;
  }
  try {
    await checkVersion(path);
    return path;
  } catch (error) {
    tried.push(`cache: ${reason(error)}`);
    return undefined;
  }
}

async function provision(tried: string[]): Promise<string> {
  const target = cachedBinary();
  const notice = setTimeout(() => console.error("packtrail: fetching nats-server, once ..."), 1_000);
  try {
    for (const { name, install } of providers()) {
      try {
        await install(target);
        return target;
      } catch (error) {
        tried.push(`${name}: ${reason(error)}`);
      }
    }
  } finally {
    clearTimeout(notice);
  }
  const list = tried.map((line) => `\n  - ${line}`).join("");
  throw new NatsServerError("NOT_FOUND", `no nats-server could be found or fetched; tried:${list}\n${ADVICE}`);
}

function providers(): { name: string; install: (target: string) => Promise<void> }[] {
  const release = { name: `official release ${RELEASE}`, install: installRelease };
  const debian = { name: `Debian package (${SUITE})`, install: installDebianPackage };
  return process.platform === "linux" ? [release, debian] : [release];
}

function cachedBinary(): string {
  return join(cacheFolder(), BINARY_NAME);
}
