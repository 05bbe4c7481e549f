/** The reference pages are whole: every field, function, operator, option, method, error and variable, and no other. */

import { assert, assertEquals } from "@std/assert";
import * as packtrail from "../mod.ts";
import { compile, ExpressionError } from "../src/expr/mod.ts";
import { INFIX, PREFIX } from "../src/expr/grammar.ts";
import { FUNCTION_ARGUMENTS, ITERATION_WITHOUT_PREDICATE } from "../src/expr/names.ts";
import { FLOW_FORMAT, NODE_FORMATS, NODE_TYPES, type ObjectFormat, spelled } from "../src/flow/format.ts";
import { KIND_OPTIONS } from "../src/server/async.ts";
import { checkOptions } from "../src/server/options.ts";
import { Observer } from "../src/server/observer.ts";
import { Server } from "../src/server.ts";
import { blocks, firstCells, readDocument, ROOT, rows } from "./support/documents.ts";
import { join } from "node:path";

const FLOWS = await readDocument("docs/flows.md");
const OPTIONS = await readDocument("docs/options.md");
const INVOKERS = await readDocument("docs/invokers.md");

const { 0: PAYLOAD = "" } = blocks("json", FLOWS);
const CONTEXT = { payload: JSON.parse(PAYLOAD), input: {}, results: {}, signals: {}, branches: {}, last_node: null };

Deno.test("docs/flows.md has every field of flows and nodes, and says which are required", () => {
  const fields = (format: ObjectFormat) =>
    format.fields.filter(({ name }) => !(format !== FLOW_FORMAT && ["id", "type"].includes(name)))
      .map(({ name, required }) => [spelled(name, "snake"), required]);
  for (
    const [mark, format] of [["flow", FLOW_FORMAT], ...NODE_TYPES.map((type) => [type, NODE_FORMATS[type]])] as const
  ) {
    const listed = rows(`the fields of ${mark}`, FLOWS).map((
      [name, required],
    ) => [name!.replaceAll("`", ""), required === "yes"]);
    assertEquals(listed, fields(format as ObjectFormat), String(mark));
  }
});

Deno.test("every example of the table of expressions compiles, and is true", () => {
  const examples = rows("the expressions", FLOWS);
  assert(examples.length > 40, `only ${examples.length} rows`);
  for (const [what, , , example] of examples) {
    assert(compile(example!.replaceAll(/^`|`$/g, "")).test(CONTEXT), `${what}: ${example} is not true`);
  }
});

Deno.test("the table of expressions has every function and operator, and the operators' precedences", () => {
  const table = rows("the expressions", FLOWS);
  const functions = table.flatMap(([what]) => /^`(\w+)\(/.exec(what!)?.[1] ?? []);
  assertEquals(
    functions.sort(),
    [...Object.keys(FUNCTION_ARGUMENTS), ...Object.keys(ITERATION_WITHOUT_PREDICATE)].sort(),
  );
  const listed = table.flatMap(([what, precedence]) =>
    [...what!.matchAll(/`([^`]+)`/g)].map(([, operator]) => `${operator} ${precedence}`)
  );
  for (const [operator, { precedence }] of [...INFIX, ...PREFIX]) {
    assert(listed.includes(`${operator} ${precedence}`), `${operator} ${precedence} is not in the table`);
  }
});

Deno.test("what is said of expressions that fail is what docs/flows.md says, and when", () => {
  const failing = rows("expressions that fail", FLOWS);
  assert(failing.length > 10);
  for (const [source, when, said] of failing) {
    const [error, at] = failureOf(source!.replaceAll(/^`|`$/g, ""));
    assertEquals([at, error], [when, said], source);
  }
});

/** What is said of an expression, without the words that are always the same, and when. */
function failureOf(source: string): [string, string] {
  let at = "loading";
  try {
    const predicate = compile(source);
    at = "running";
    predicate.test(CONTEXT);
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    return [error.message.replaceAll(/^expression [\w ]+: | \(line 1, column \d+\)$/g, ""), at];
  }
  return ["it is fine", at];
}

/** The names that an error about an unknown one lists. */
function knownNames(check: () => unknown): string[] {
  try {
    check();
  } catch (error) {
    return /there are (.*)$/.exec((error as Error).message)![1]!.split(", ");
  }
  throw new Error("an unknown option is not refused");
}

/** The fields of an interface in a source file. */
async function fieldsOf(name: string, path: string): Promise<string[]> {
  const source = await Deno.readTextFile(join(ROOT, path));
  const body = new RegExp(`^export interface ${name} \\{\\n(.*?)^\\}`, "ms").exec(source)![1]!;
  return [...body.matchAll(/^ {2}(?:readonly )?(\w+)\??:/gm)].map(([, field]) => field!);
}

Deno.test("docs/options.md has every option of a server, of retention and of async invokers", () => {
  const unknown = { nope: 1 } as never;
  assertEquals(firstCells("the options", OPTIONS), knownNames(() => checkOptions(unknown)));
  const retention = knownNames(() => checkOptions({ retention: unknown }));
  assertEquals(firstCells("the options of retention", OPTIONS), retention);
  assertEquals(firstCells("the options of an async invoker", OPTIONS).sort(), [...KIND_OPTIONS].sort());
});

/** The defaults that an interface's documentation names, by field; those in words are left out. */
async function defaultsOf(name: string, path: string): Promise<[string, string][]> {
  const source = await Deno.readTextFile(join(ROOT, path));
  const body = new RegExp(`^export interface ${name} .*?\\{\\n(.*?)^\\}`, "ms").exec(source)![1]!;
  const found = body.matchAll(/@default \{([^}\n]+)\}\n {3}\*\/\n {2}(?:readonly )?(\w+)\??:/g);
  return [...found].map(([, value, field]): [string, string] => [field!, value!.split(":")[0]!])
    .filter(([, value]) => value !== "none");
}

/** A value as it may be written in a table or in code: `524,288`, 524_288, `"30s"`. */
function plain(value: string): string {
  return value.replaceAll(/[`"]|(?<=\d)[,_](?=\d)/g, "");
}

Deno.test("the defaults in the tables of options are those that the code documents", async () => {
  let checked = 0;
  for (
    const [text, mark, name, path] of [
      [OPTIONS, "the options", "ServerOptions", "src/server/options.ts"],
      [OPTIONS, "the options of retention", "RetentionOptions", "src/server/options.ts"],
      [OPTIONS, "the options of an async invoker", "AsyncInvokerOptions", "src/server/options.ts"],
      [INVOKERS, "the options of httpInvoker", "HttpInvokerOptions", "src/invoker/http.ts"],
    ] as const
  ) {
    const table = new Map(rows(mark, text).map(([option, value]) => [plain(option!), plain(value!)]));
    for (const [field, value] of await defaultsOf(name, path)) {
      assertEquals(table.get(field), plain(value), `${name}.${field}`);
      checked++;
    }
  }
  assert(checked >= 13, `only ${checked} defaults were found`);
});

Deno.test("docs/invokers.md has every option of httpInvoker, and every field of a request", async () => {
  assertEquals(
    firstCells("the options of httpInvoker", INVOKERS).sort(),
    (await fieldsOf("HttpInvokerOptions", "src/invoker/http.ts")).sort(),
  );
  assertEquals(firstCells("the request", INVOKERS), await fieldsOf("InvokeRequest", "src/invoker/types.ts"));
});

Deno.test("docs/options.md has every method of a server, and every error with its code", () => {
  const listed = ["run", "change", "read"].flatMap((what) => firstCells(`the methods that ${what}`, OPTIONS));
  const methods = [Server.prototype, Observer.prototype].flatMap((prototype) => Object.getOwnPropertyNames(prototype));
  assertEquals(
    listed.map((method) => method.split("(")[0]!).sort(),
    [...new Set(methods)].filter((name) => name !== "constructor").sort(),
  );
  const errors = Object.entries(packtrail).filter(([name, value]) =>
    name !== "PacktrailError" && typeof value === "function" && value.prototype instanceof packtrail.PacktrailError
  );
  const table = rows("the errors", OPTIONS).map(([name, code]) => [name, code]);
  assertEquals(table.map(([name]) => name).sort(), errors.map(([name]) => `\`${name}\``).sort());
  const source = errors.map(([, value]) => String(value)).join("\n");
  for (const [name, code] of table) {
    assert(source.includes(`"${code!.replaceAll("`", "")}"`), `${name} has not ${code}`);
  }
});

Deno.test("docs/options.md has every environment variable that is read", async () => {
  const known = new Set<string>();
  for await (const source of sources("src", "tools", "examples")) {
    for (const [, name] of source.matchAll(/(?:\benvironment|env\.get)\("([A-Z_]+)"\)/g)) known.add(name!);
  }
  for (const ofTheSystem of ["HOME", "USERPROFILE", "PATH", "LOCALAPPDATA"]) known.delete(ofTheSystem);
  const listed = firstCells("the variables", OPTIONS);
  for (const name of known) assert(listed.includes(name), `${name} is read, and not in the table`);
  for (const name of listed) assert(known.has(name), `${name} is in the table, and not read`);
});

async function* sources(...folders: string[]): AsyncGenerator<string> {
  for (const folder of folders) {
    for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
      if (isDirectory) yield* sources(`${folder}/${name}`);
      else if (name.endsWith(".ts") && !name.endsWith("_test.ts")) {
        yield await Deno.readTextFile(join(ROOT, folder, name));
      }
    }
  }
}
