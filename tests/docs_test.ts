/** The word of docs/ is kept: tables list what there is, examples are true, JSON and commands are what they seem. */

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { permissionsBlock, type Role } from "../mod.ts";
import { EXIT, EXIT_HELP } from "../src/cli/failure.ts";
import { createProgram } from "../src/cli/program.ts";
import { decodeTaskRequest, decodeTaskResponse, encodeTaskRequest, encodeTaskResponse } from "../src/protocol/mod.ts";
import { findRoute } from "../src/ui/routes.ts";
import { after, blocks, firstCells, guidePages, readDocument, ROOT } from "./support/documents.ts";
import { join } from "node:path";

Deno.test("the permission blocks of the README are those of permissionsBlock", async () => {
  const text = await readDocument("README.md");
  const roles = ["client", "worker", "async-worker", "observer", "engine"] as const satisfies Role[];
  for (const role of roles) {
    const options = role === "async-worker" ? { asyncKinds: ["agent"] } : {};
    assertStringIncludes(text, `\`\`\`\n${permissionsBlock(role, options)}\n\`\`\``);
  }
  const command = createProgram().commands.find((command) => command.name() === "permissions")!;
  const choices = command.options.find(({ long }) => long === "--role")!.argChoices!;
  assertEquals([...choices].sort(), [...roles].sort());
});

Deno.test("the JSON of the wire contract is what is read and written", async () => {
  const [request, replies] = blocks("json", await readDocument("docs/workers.md"));
  const line = JSON.stringify(JSON.parse(request!)); // the formatter gives it line breaks
  assertEquals(new TextDecoder().decode(encodeTaskRequest(decodeTaskRequest(line))), line);
  const lines = replies!.trim().split("\n");
  assertEquals(lines.length, 3);
  for (const reply of lines) {
    assertEquals(new TextDecoder().decode(encodeTaskResponse(decodeTaskResponse(reply))), reply);
  }
});

Deno.test("docs/cli.md lists the commands that there are, with their arguments, and every exit code", async () => {
  const text = await readDocument("docs/cli.md");
  const commands = createProgram().commands.map((command) => {
    const names = command.registeredArguments.map((argument) => {
      const name = argument.name();
      return argument.required ? `<${name}>` : `[${name}]`;
    });
    return [command.name(), ...names].join(" ");
  });
  assertEquals(firstCells("the commands", text).sort(), commands.sort());
  const codes = [...after("the exit codes", text).matchAll(/^\| (\d) +\| (.+?) +\|$/gm)].map(([, code, what]) =>
    `  ${code}  ${what}`
  );
  assertEquals(["Exit codes:", ...codes].join("\n"), EXIT_HELP);
  assertEquals(codes.length, Object.keys(EXIT).length);
});

Deno.test("docs/dashboard.md lists the HTTP API and the metrics that there are", async () => {
  const text = await readDocument("docs/dashboard.md");
  const routes = await Deno.readTextFile(join(ROOT, "src", "ui", "routes.ts"));
  const known = [...routes.matchAll(/\["(GET|POST)", "((?:\/api\/|\/metrics|\/healthz)[^"]*)"/g)]
    .map(([, method, path]) => `${method} ${path}`);
  assertEquals(firstCells("the routes", text).sort(), known.sort());
  for (const row of known) {
    const [method, path] = row.split(" ");
    const isThere = (allowActions: boolean) => {
      const handlers = findRoute(path!.replaceAll(/:\w+/g, "x"), allowActions)?.handlers ?? {};
      return Object.keys(handlers).includes(method!);
    };
    assert(isThere(true), row);
    assertEquals(isThere(false), method === "GET", row);
  }
  const metrics = await Deno.readTextFile(join(ROOT, "src", "ui", "metrics.ts"));
  const names = new Set([...metrics.matchAll(/"(packtrail_\w+)"/g)].map((match) => match[1]!));
  assertEquals(firstCells("the metrics", text).sort(), [...names].sort());
});

Deno.test("every command in a shell block is one that there is, with options that it has", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(join(ROOT, "deno.json")));
  const program = createProgram();
  let checked = 0;
  for (const { path, text } of await guidePages()) {
    for (const line of blocks("sh", text).flatMap((block) => block.split("\n"))) {
      const task = /^(?:npx -y )?deno task ([\w:]+)/.exec(line)?.[1];
      if (task !== undefined) assert(task in tasks, `${path}: there is no task ${task}`);
      const called = /^\s*(?:deno task )?packtrail ([\w-]+)(.*)/.exec(line);
      if (called === null) continue;
      const command = program.commands.find((each) => each.name() === called[1]);
      assert(command !== undefined, `${path}: there is no command ${called[1]}`);
      const known = [...program.options, ...command.options, { short: "-h", long: "--help" }];
      for (
        const [, option] of called[2]!.split(" #")[0]!.replaceAll(/'[^']*'|"[^"]*"/g, "").matchAll(/ (--?[a-z][\w-]*)/g)
      ) {
        assert(known.some(({ short, long }) => option === short || option === long), `${path}: ${called[1]} ${option}`);
      }
      checked++;
    }
  }
  assert(checked >= 10, `only ${checked} commands were found`);
});
