import { Buffer } from "node:buffer";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { reason } from "./errors.ts";
import { BINARY_NAME, installBinary, IS_WINDOWS, runProgram, withTempFolder } from "./files.ts";

/** The official release that is fetched where no server is there. */
export const RELEASE = "2.15.0";

const CONNECT_TIMEOUT_MS = 5_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;

/**
 * SHA-256 of the release's archives, pinned: what is downloaded is compared with these and with nothing else. They
 * were taken from public places that quote the release's SHA256SUMS (container images, package manifests, other
 * projects' pins, at least two that agree but for windows-arm64), not from the release page itself.
 */
const SHA256: Readonly<Record<string, string>> = {
  "darwin-amd64": "5bd8b59ca5bf93fab3da2c5843cf564cd6e2e291e22ae3b861746e7ebe259b95",
  "darwin-arm64": "e1c4e22d70bd44abfa0bcb3c16f7cf0c66f648c2e728c58924e8a1ce88913cc8",
  "linux-amd64": "5d2c51caca950333aba84911df7d377f826f3a59ec36061c6539105084f65c92",
  "linux-arm64": "cdc208f5a3f42963a52b6ab06ef65626bb870315dc936e26ba571780c6351112",
  "windows-amd64": "2d0861dc2ca3567d17f7d19611d7b346cc2ccbd7086a0a77cc957a2c71663200",
  "windows-arm64": "d468fa3f0ac953bed2219e37a2b5977d87cb8d705d5bbdc70b9f960e12fb7c38",
};

/** What the archives call a system, where it is not what the runtime calls it. */
const SYSTEMS: Readonly<Record<string, string>> = { win32: "windows" };

/**
 * Downloads the official release, verifies it and puts its binary at `target`.
 *
 * @throws {Error} Where there is no archive for this machine, it cannot be fetched, or it is not the pinned one.
 */
export async function installRelease(target: string): Promise<void> {
  const platform = `${SYSTEMS[process.platform] ?? process.platform}-${
    process.arch === "x64" ? "amd64" : process.arch
  }`;
  const sha256 = SHA256[platform];
  if (sha256 === undefined) throw new Error(`there is no archive for ${platform}`);
  const name = `nats-server-v${RELEASE}-${platform}`;
  const file = `${name}.${IS_WINDOWS ? "zip" : "tar.gz"}`;
  const bytes = await download(`https://github.com/nats-io/nats-server/releases/download/v${RELEASE}/${file}`);
  await verify(file, bytes, sha256);
  await withTempFolder(async (folder) => {
    await writeFile(join(folder, file), bytes);
    await runProgram("tar", ["-xf", file], { cwd: folder });
    await installBinary(join(folder, name, BINARY_NAME), target);
  });
}

/**
 * Throws where the bytes are not those of the pinned archive.
 *
 * @throws {Error} Where the digest differs.
 */
export async function verify(file: string, bytes: Uint8Array<ArrayBuffer>, sha256: string): Promise<void> {
  const digest = Buffer.from(await crypto.subtle.digest("SHA-256", bytes)).toString("hex");
  if (digest !== sha256) throw new Error(`${file} has the SHA-256 ${digest}, not the pinned ${sha256}`);
}

async function download(url: string): Promise<Uint8Array<ArrayBuffer>> {
  const control = new AbortController();
  let timer = setTimeout(() => control.abort(new Error("no answer within 5 s")), CONNECT_TIMEOUT_MS);
  try {
    const response = await fetch(url, { signal: control.signal });
    clearTimeout(timer);
    timer = setTimeout(() => control.abort(new Error("not complete within 5 min")), DOWNLOAD_TIMEOUT_MS);
    if (response.ok) return new Uint8Array(await response.arrayBuffer());
    await response.body?.cancel();
    throw new Error(`the server answered ${response.status}`);
  } catch (error) {
    throw new Error(`cannot fetch ${url}: ${reason(error)}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}
