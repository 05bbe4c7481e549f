import { chmod, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type AptArchive, chooseArchives, formatSource, parseDeb822, parseList } from "./apt_sources.ts";
import { reason } from "./errors.ts";
import { hasCode, installBinary, isFile, runProgram, withTempFolder } from "./files.ts";

/** The Debian release whose nats-server is new enough. */
export const SUITE = "forky";

const MOST_ARCHIVES = 3;

/**
 * Downloads Debian's nats-server package and puts its binary at `target`. apt verifies signatures, with the machine's
 * own mirror and keys, but uses only folders of ours: nothing is installed, no root is needed, no list is changed.
 *
 * @throws {Error} Where the machine has no apt, no archive of its sources has the package, or it cannot be fetched.
 */
export async function installDebianPackage(target: string): Promise<void> {
  const archives = (await readArchives()).slice(0, MOST_ARCHIVES);
  if (archives.length === 0) throw new Error("the machine's apt sources name no archive with a `main` component");
  const failures: string[] = [];
  for (const archive of archives) {
    try {
      return await withTempFolder((folder) => installFrom(archive, folder, target));
    } catch (error) {
      failures.push(reason(error));
    }
  }
  throw new Error(failures.join("; "));
}

async function installFrom(archive: AptArchive, folder: string, target: string): Promise<void> {
  await chmod(folder, 0o755); // apt reads its lists as a user without rights of its own
  for (const name of ["lists/partial", "cache/archives/partial"]) {
    await mkdir(join(folder, name), { recursive: true });
  }
  const sources = join(folder, `${SUITE}.sources`);
  await writeFile(sources, formatSource(archive, SUITE));
  const settings = {
    "Dir::Etc::sourcelist": sources,
    "Dir::Etc::sourceparts": "-",
    "Dir::State::lists": join(folder, "lists"),
    "Dir::Cache": join(folder, "cache"),
    "Acquire::Languages": "none",
    "Acquire::Retries": "1",
    "Acquire::http::Timeout": "10",
    "Acquire::https::Timeout": "10",
  };
  const options = ["-q", ...Object.entries(settings).flatMap(([name, value]) => ["-o", `${name}=${value}`])];
  await runProgram("apt-get", [...options, "--error-on=any", "update"], { cwd: folder });
  await runProgram("apt-get", [...options, "download", "nats-server"], { cwd: folder });
  await runProgram("dpkg-deb", ["-x", await findPackage(folder), join(folder, "package")]);
  await installBinary(await findBinary(join(folder, "package")), target);
}

async function findPackage(folder: string): Promise<string> {
  const name = (await readdir(folder)).find((name) => name.endsWith(".deb"));
  if (name !== undefined) return join(folder, name);
  throw new Error("`apt-get download nats-server` left no package");
}

async function findBinary(root: string): Promise<string> {
  for (const folder of ["usr/sbin", "usr/bin", "usr/local/bin"]) {
    const path = join(root, folder, "nats-server");
    if (await isFile(path)) return path;
  }
  throw new Error("the package holds no nats-server binary");
}

async function readArchives(): Promise<AptArchive[]> {
  const archives = [...parseList(await readText("/etc/apt/sources.list"))];
  const folder = "/etc/apt/sources.list.d";
  for (const name of await listFolder(folder)) {
    const path = join(folder, name);
    if (name.endsWith(".sources")) archives.push(...parseDeb822(await readText(path)));
    else if (name.endsWith(".list")) archives.push(...parseList(await readText(path)));
  }
  return chooseArchives(archives);
}

async function listFolder(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).sort();
  } catch (error) {
    if (hasCode(error, "ENOENT")) return [];
    throw error;
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (hasCode(error, "ENOENT", "EACCES")) return "";
    throw error;
  }
}
