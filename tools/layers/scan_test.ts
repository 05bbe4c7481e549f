import { assertEquals } from "@std/assert";
import { findImports, maskSource } from "./scan.ts";

Deno.test("comments, strings, templates and regular expressions are blanked, code in a template stays", () => {
  const cases: [source: string, masked: string][] = [
    ['a("await") // await', 'a("     ")         '],
    ["/* await */ b", " ".repeat(12) + "b"],
    ["`x ${await y(`in ${z}`)} await`", "`  ${await y(`   ${z}`)}      `"],
    ["a = /await[/]`/g.test(b) / 2 / c", "a = /         /g.test(b) / 2 / c"],
    ["return /'/.test(x)", "return / /.test(x)"],
    ["'it\\'s' + x", "'     ' + x"],
    ["f({ a: `${{ b: 1 }.b}` }); await", "f({ a: `${{ b: 1 }.b}` }); await"],
  ];
  for (const [source, masked] of cases) assertEquals(maskSource(source), masked);
});

Deno.test("static, type, side-effect, re-export and dynamic imports are found, with their lines", () => {
  const source = `import { a } from "./a.ts";
import type { B } from './b.ts';
import "./c.ts";
export {
  d,
} from "./d.ts";
const e = await import("./e.ts");
// import "./no.ts";
const text = 'import "./no.ts"';
type F = import("./f.ts").F;
`;
  assertEquals(findImports(source), [
    { specifier: "./a.ts", line: 1 },
    { specifier: "./b.ts", line: 2 },
    { specifier: "./c.ts", line: 3 },
    { specifier: "./d.ts", line: 6 },
    { specifier: "./e.ts", line: 7 },
    { specifier: "./f.ts", line: 10 },
  ]);
});
