import { assertEquals } from "@std/assert";
import { dirname, join } from "node:path";
import { checkLayers } from "./layers/check.ts";

/** What the check says of a project of these files; each is under `src/` unless it begins with a slash. */
async function check(files: Record<string, string>): Promise<string[]> {
  const root = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(root, "src"));
    for (const [name, text] of Object.entries(files)) {
      const path = name.startsWith("/") ? join(root, name) : join(root, "src", name);
      await Deno.mkdir(dirname(path), { recursive: true });
      await Deno.writeTextFile(path, text);
    }
    return await checkLayers(root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

Deno.test("imports along the direction of the rooms pass", async () => {
  const problems = await check({
    "/mod.ts": 'export { s } from "./src/server.ts";',
    "errors.ts": "export const e = 1;",
    "core/state.ts": 'import { e } from "../errors.ts"; export const c = e;',
    "core/state_test.ts": 'import { x } from "../../tests/x.ts"; await x(Date.now());',
    "engine/run.ts": 'import { c } from "../core/state.ts"; export const r = async () => await c;',
    "server.ts": 'import { r } from "./engine/run.ts"; export const s = r;',
    "ui/page.ts": 'import type { s } from "../../mod.ts";',
    "cli/main.ts": 'import "../ui/page.ts"; import { connect } from "@nats-io/transport-deno";',
  });
  assertEquals(problems, []);
});

Deno.test("an import against the direction is told with its line", async () => {
  const problems = await check({
    "core/a.ts": '\nimport { b } from "../nats/b.ts";',
    "invoker/c.ts": 'import type { b } from "../nats/b.ts";',
    "nats/b.ts": "export const b = 1;",
    "ui/d.ts": 'import { b } from "../nats/b.ts";\nimport { n } from "../../tools/nats.ts";',
  });
  assertEquals(problems.map((problem) => problem.split(", only from")[0]), [
    "src/core/a.ts:2: `core` must not import from `nats`",
    "src/invoker/c.ts:1: `invoker` must not import from `nats`",
    "src/ui/d.ts:1: `ui` must not import from `nats`",
    "src/ui/d.ts:2: ../../tools/nats.ts is outside src/, and is not published",
  ]);
});

Deno.test("files that import each other in a circle are told once", async () => {
  const problems = await check({
    "core/a.ts": 'import "./b.ts";',
    "core/b.ts": 'export * from "./c.ts";',
    "core/c.ts": 'import type { A } from "./a.ts";',
  });
  assertEquals(problems, [
    "src/core/a.ts:1: import cycle: src/core/a.ts -> src/core/b.ts -> src/core/c.ts -> src/core/a.ts",
  ]);
});

Deno.test("an unknown room is told where to be added", async () => {
  const problems = await check({ "roles/admin.ts": "export const a = 1;" });
  assertEquals(problems, [
    "src/roles/admin.ts:1: `roles` is not a known room: add it to ROOMS in tools/layers/rooms.ts, with the rooms it may import",
  ]);
});

Deno.test("what is impure in a pure room is found, whatever its form", async () => {
  const impure = [
    "export async function f() {}",
    "export type P = Promise<void>;",
    "export const now = Date.now();",
    "export const now = new Date();",
    "export const now = new Date;",
    "export const text = Date();",
    "export const r = Math.random();",
    "export const t = performance.now();",
    "setTimeout(() => {}, 1);",
    "export const id = crypto.randomUUID();",
    "export const env = Deno.env;",
    'import { connect } from "npm:@nats-io/transport-node";',
    'import "node:fs";',
    "console.log(`${await 1}`);",
  ];
  for (const source of impure) {
    const problems = await check({ "expr/a.ts": source });
    assertEquals(problems.every((problem) => problem.startsWith("src/expr/a.ts:1: ")), true);
    assertEquals([source, problems.length > 0], [source, true]);
  }
});

Deno.test("what only looks impure passes", async () => {
  const source = `
// await Date.now() in a comment
export const date = new Date(0), later = new Date(date.getTime() + 1);
export const text = "Promise of Deno", rule = { async: true, await: 1 }, kind = rule.async;
export const pattern = /setTimeout(Math.random)/;
export interface Options { async?: boolean; date: Date }
export function isDate(value: unknown): value is Date { return value instanceof Date; }
`;
  assertEquals(await check({ "flow/a.ts": source }), []);
});

Deno.test("what Node 20 does not have is found in every room, but not in tests", async () => {
  const foreign = [
    "export const folder = Deno.cwd();",
    "export async function f(x: AsyncDisposable) { await using y = x; return y; }",
    "export const p = Promise.withResolvers<void>();",
    "export const groups = Map.groupBy([1], (n) => n);",
    "export const all = await Array.fromAsync([1]);",
    "export const hex = new Uint8Array(1).toHex();",
  ];
  for (const source of foreign) {
    const problems = await check({ "server.ts": source, "server_test.ts": source, "core/testing/a.ts": "export {};" });
    assertEquals([problems.length, problems[0]?.startsWith("src/server.ts:1: ")], [1, true], source);
  }
  const fine = "// await using it = Deno\nexport const using = 1, text = `Deno`, bytes = { bytes: 1 }.bytes;";
  assertEquals(await check({ "server.ts": fine }), []);
});
