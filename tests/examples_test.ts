/** The examples as a newcomer runs them: each in a process of its own, by its output and its exit code. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = dirname(import.meta.dirname!);

/** How long one example may take before it counts as hanging. */
const PATIENCE_MS = 180_000;

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

/** The test's server, and a namespace of its own. */
function surroundings(): Record<string, string> {
  return {
    NATS_URL: Deno.env.get("NATS_URL") ?? "",
    PACKTRAIL_NAMESPACE: `example-${crypto.randomUUID()}`,
    NO_COLOR: "1",
    FORCE_COLOR: "",
  };
}

async function run(args: string[], env = surroundings(), cwd = ROOT): Promise<Run> {
  const options = { args, cwd, env, stdin: "null", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(Deno.execPath(), options).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  const { code, stdout, stderr } = await child.output().finally(() => clearTimeout(timer));
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

function runExample(name: string, args: string[] = [], env?: Record<string, string>, cwd?: string): Promise<Run> {
  return run(["run", "-A", join(ROOT, "examples", name), ...args], env, cwd);
}

/** What a timeline says happened, in order: `✔ triage`, without times and details. */
function steps(stdout: string): string[] {
  return [...stdout.matchAll(/^ +\d+\.\d\d s {2}(\S) +([\w-]+)/gm)].map(([, mark, what]) => `${mark} ${what}`);
}

function assertRun({ code, stdout, stderr }: Run): void {
  assertEquals(code, 0, `${stdout}\n${stderr}`);
  assertEquals(stderr, "");
}

/** The steps of the research pipeline that do not depend on which branch is faster. */
const RESEARCH = [
  ...["▶ triage", "✔ triage", "⑂ research", "▶ gather", "✔ gather", "◆ assess", "▶ synthesis", "✔ synthesis"],
  ...["⏸ wait-approval", "✉ Ada", "✔ wait-approval", "▶ publish", "✔ publish", "■ completed"],
];
const BRANCHES = ["tech", "market", "legal"];

function assertResearched(result: Run): void {
  assertRun(result);
  const all = steps(result.stdout);
  assertEquals(all.filter((step) => !BRANCHES.includes(step.slice(2))), RESEARCH);
  for (const branch of BRANCHES) assert(all.includes(`✔ ${branch}`), result.stdout);
  assert(all.includes("↻ legal"), result.stdout);
  assertStringIncludes(result.stdout, `"approved_by": "Ada"`);
}

Deno.test("embedded.ts takes a research request through every node, on a server it is given and on one of its own", async () => {
  const [given, own] = await Promise.all([
    runExample("embedded.ts"),
    runExample("embedded.ts", [], { ...surroundings(), NATS_URL: "" }, dirname(ROOT)), // from another folder, too
  ]);
  assertResearched(given);
  assertResearched(own);
  assert(!given.stdout.includes("starting a server"), given.stdout);
  assertStringIncludes(own.stdout, "starting a server for this example");
  const port = Number(/nats:\/\/127\.0\.0\.1:(\d+)/.exec(own.stdout)![1]);
  const answer = await Deno.connect({ hostname: "127.0.0.1", port }).then((conn) => conn.close(), (error) => error);
  assert(answer instanceof Deno.errors.ConnectionRefused, `something still listens on ${port}`);
});

Deno.test("embedded.ts escalates a delicate topic without asking anyone, and says why where it cannot go on", async () => {
  const [escalated, alone, unconnected] = await Promise.all([
    runExample("embedded.ts", ["weapons for minors"]),
    runExample("embedded.ts", ["--engine-only"]),
    runExample("embedded.ts", [], { ...surroundings(), NATS_URL: "nats://127.0.0.1:1" }),
  ]);
  assertRun(escalated);
  const end = ["✔ gather", "◆ assess", "▶ escalation", "✔ escalation", "■ completed"];
  assertEquals(steps(escalated.stdout).slice(-5), end);
  assertEquals(alone.code, 1, alone.stdout);
  assertStringIncludes(alone.stderr, "The execution failed: no worker listens on");
  assertEquals(unconnected.code, 1);
  assertMatch(unconnected.stderr, /^the example failed: cannot connect to NATS at nats:\/\/127\.0\.0\.1:1: .+\n$/);
});

Deno.test("worker.ts does the work of an engine in another process, and stops when it is told to", async () => {
  const env = surroundings();
  const worker = new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-net", "--allow-env", "examples/worker.ts"],
    cwd: ROOT,
    env,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const errors = new Response(worker.stderr).text();
  const lines = worker.stdout.pipeThrough(new TextDecoderStream());
  let output = "";
  let research: Promise<Run> | undefined;
  let told = false;
  for await (const text of lines) {
    output += text;
    if (output.includes("ready: ") && research === undefined) {
      research = runExample("embedded.ts", ["--engine-only"], env);
      void research.then(() => {
        told = true;
        worker.kill("SIGTERM");
      });
    }
  }
  const { code } = await worker.status;
  assertEquals([code, told, await errors], [0, true, ""], output);
  assertResearched(await research!);
  const done = [...output.matchAll(/^([\w-]+), attempt \d of exec-\w+: ok$/gm)].map((match) => match[1]).sort();
  assertEquals(done, ["legal", "market", "publish", "synthesis", "tech", "triage"]);
  assertStringIncludes(output, "legal, attempt 1 of");
  assert(output.endsWith("stopped\n"), output);
});

Deno.test("custom_invoker.ts posts to agents: one is busy at first, one answers later", async () => {
  const result = await runExample("custom_invoker.ts");
  assertRun(result);
  assertEquals(steps(result.stdout), [
    ...["▶ triage", "↻ triage", "✔ triage", "◆ by-category"],
    ...["▶ technical-agent", "⏸ technical-agent", "✔ technical-agent"],
    ...["▶ answer", "✔ answer", "■ completed"],
  ]);
  assertStringIncludes(result.stdout, "Answer     Dear customer, the driver is too old.");
});

Deno.test("approval.ts reminds, and ends as the manager decides", async () => {
  const [released, rejected] = await Promise.all([runExample("approval.ts"), runExample("approval.ts", ["reject"])]);
  for (const [result, end] of [[released, "release"], [rejected, "reject"]] as const) {
    assertRun(result);
    const all = steps(result.stdout);
    // On a machine that is slow enough, a second reminder may come before the answer.
    assertEquals(all.filter((step) => /approval|remind/.test(step)).slice(0, 5), [
      ...["⏸ approval", "⏰ approval", "▶ remind", "✔ remind", "⏸ approval"],
    ]);
    assertEquals(all.slice(-4), ["◆ decide", `▶ ${end}`, `✔ ${end}`, "■ completed"]);
  }
});

Deno.test("async.ts renders every clip, the one of the crashed worker, too", async () => {
  const result = await runExample("async.ts");
  assertRun(result);
  const all = steps(result.stdout);
  assertEquals(all.filter((step) => step.startsWith("✘")).length, 1, result.stdout);
  for (const clip of ["intro", "interview", "credits"]) assert(all.includes(`✔ ${clip}`), result.stdout);
  assertEquals(all.slice(-4), ["✔ join", "▶ publish", "✔ publish", "■ completed"]);
  assertStringIncludes(result.stdout, "intro.mp4");
});

Deno.test("the package can be published, and has no test in it", async () => {
  const { code, stdout, stderr } = await run(["publish", "--dry-run", "--allow-dirty"]);
  assertEquals(code, 0, `${stdout}\n${stderr}`);
  const files = [...`${stdout}\n${stderr}`.matchAll(/^ +(file:\S+) \(/gm)].map(([, url]) =>
    relative(ROOT, fileURLToPath(url!)).replaceAll("\\", "/")
  );
  for (const file of ["mod.ts", "deno.json", "README.md", "LICENSE", "src/server.ts"]) {
    assert(files.includes(file), `${file} is missing`);
  }
  assertEquals(
    files.filter((file) => /(?:^|\/)(?:tests|bench|examples|tools\/(?!links))|_test|_testing/.test(file)),
    [],
  );
});
