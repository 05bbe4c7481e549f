import { posix } from "node:path";
import { EXCEPTIONS, FOREIGN, IMPURE, IMPURE_MODULES, MOD, type Room, ROOMS, UNPUBLISHED } from "./rooms.ts";
import { findImports, type ImportSite, lineAt, maskSource } from "./scan.ts";

interface SourceFile {
  /** The path from the root of the project, with slashes. */
  path: string;
  source: string;
  masked: string;
  imports: (ImportSite & { target?: string })[];
}

/**
 * Checks `mod.ts` and `src/` under a folder: every import follows the direction of the rooms, no files import each
 * other in a circle, pure rooms are pure, and none uses what only Deno has. Returns what is wrong, as `path:line: message`, in order of paths.
 */
export async function checkLayers(root: string): Promise<string[]> {
  const files = await readFiles(root);
  return [...files.flatMap(checkRoom), ...findCycles(files)];
}

async function readFiles(root: string): Promise<SourceFile[]> {
  const paths = await listSources(root, "src");
  if (await exists(posix.join(root, "mod.ts"))) paths.unshift("mod.ts");
  return await Promise.all(paths.map(async (path) => {
    const source = await Deno.readTextFile(posix.join(root, path));
    const masked = maskSource(source);
    const imports = findImports(source, masked).map((site) => ({ ...site, ...targetOf(path, site.specifier) }));
    return { path, source, masked, imports };
  }));
}

async function listSources(root: string, folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(posix.join(root, folder))) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory) paths.push(...await listSources(root, path));
    else if (/\.tsx?$/.test(entry.name)) paths.push(path);
  }
  return paths.sort();
}

async function exists(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch {
    return false;
  }
}

function targetOf(path: string, specifier: string): { target?: string } {
  if (!/^\.\.?\//.test(specifier)) return {};
  return { target: posix.join(path, "..", specifier) };
}

function isTest(path: string): boolean {
  return /_test\.tsx?$/.test(path);
}

/** The room of a file: `mod` for `mod.ts`, the folder or bare file under `src/`, its test included; none for what is outside. */
function roomOf(path: string): string | undefined {
  if (path === "mod.ts") return "mod";
  return /^src\/([^/]+?)(?:\/|(?:_test)?\.tsx?$)/.exec(path)?.[1];
}

function checkRoom(file: SourceFile): string[] {
  const name = roomOf(file.path)!;
  const room = name === "mod" ? MOD : ROOMS[name];
  if (room === undefined) {
    return [
      `${file.path}:1: \`${name}\` is not a known room: add it to ROOMS in tools/layers/rooms.ts, with the rooms it may import`,
    ];
  }
  if (isTest(file.path)) return [];
  return [
    ...checkImports(file, name, room),
    ...(room.pure ? checkFor(IMPURE, file, ", and this room is pure") : []),
    ...(UNPUBLISHED.test(file.path) ? [] : checkFor(FOREIGN, file, ", and the package runs on Node and Bun, too")),
  ];
}

function checkImports(file: SourceFile, name: string, room: Room): string[] {
  const problems: string[] = [];
  for (const { specifier, target, line } of file.imports) {
    const at = `${file.path}:${line}`;
    if (target === undefined) {
      if (room.pure && IMPURE_MODULES.test(specifier) && EXCEPTIONS[file.path] !== specifier) {
        problems.push(`${at}: \`${name}\` is pure and must not import ${specifier}`);
      }
      continue;
    }
    const other = roomOf(target);
    if (other === undefined) problems.push(`${at}: ${specifier} is outside src/, and is not published`);
    else if (isTest(target)) problems.push(`${at}: ${specifier} is a test`);
    else if (other !== name && !room.imports.includes(other)) problems.push(`${at}: ${direction(name, other, room)}`);
  }
  return problems;
}

function direction(name: string, other: string, room: Room): string {
  const allowed = room.imports.length === 0 ? "nothing" : room.imports.join(", ");
  return `\`${name}\` must not import from \`${other}\`, only from: ${allowed}`;
}

function checkFor(forbidden: typeof IMPURE, file: SourceFile, why: string): string[] {
  return forbidden.flatMap(({ pattern, what }) =>
    [...file.masked.matchAll(pattern)].map((match) =>
      `${file.path}:${lineAt(file.masked, match.index)}: \`${match[0].trim()}\` ${what}${why}`
    )
  );
}

/** Each circle of imports, told once, from its first file in the order of a depth-first walk. */
function findCycles(files: SourceFile[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const trail: string[] = [];
  const problems: string[] = [];
  const visit = (path: string) => {
    const start = trail.indexOf(path);
    if (start >= 0) problems.push(`${path}:1: import cycle: ${[...trail.slice(start), path].join(" -> ")}`);
    if (start >= 0 || done.has(path)) return;
    trail.push(path);
    for (const { target } of byPath.get(path)?.imports ?? []) if (target !== undefined) visit(target);
    trail.pop();
    done.add(path);
  };
  for (const { path } of files) visit(path);
  return problems;
}
