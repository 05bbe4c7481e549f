/** One file of tests on another runtime, in a process of its own. @module */

import { TELL, type Told } from "./shim/test.ts";

/** How long a file may take, and then to end when its last test has, in milliseconds. */
const LONGEST_MS = 300_000;
const LINGER_MS = 20_000;

/** What is needed to run a file. */
export interface FileRun {
  /** The runtime. */
  program: string;
  /** The program that runs a file: what became of `shim/run.ts`. */
  runner: string;
  /** The transpiled tests. */
  file: string;
  /** The names of tests to leave out. */
  omitted: readonly string[];
  /** Variables of the process. */
  env: Record<string, string>;
}

/** How a file ended. */
export interface FileResult {
  /** Its tests. */
  told: Told[];
  /** What is wrong with the file as a whole. */
  problem?: string;
  /** What it printed besides, on both channels. */
  output: string;
}

/** Runs a file. It has to end by itself: a timer or a connection left behind would keep it alive. */
export async function runFile({ program, runner, file, omitted, env }: FileRun): Promise<FileResult> {
  const args = [runner, file, JSON.stringify(omitted)];
  const child = new Deno.Command(program, { args, env, stdin: "null", stdout: "piped", stderr: "piped" }).spawn();
  let killed: string | undefined;
  const kill = (why: string) => {
    killed = why;
    child.kill("SIGKILL");
  };
  let timer = setTimeout(() => kill(`took longer than ${LONGEST_MS / 1_000} s`), LONGEST_MS);
  const stderr = new Response(child.stderr).text();
  let stdout = "";
  let hasEnded = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    stdout += text;
    if (hasEnded || !stdout.includes(`${TELL}"end"`)) continue;
    hasEnded = true;
    clearTimeout(timer);
    timer = setTimeout(() => kill("did not end after its last test: something keeps it alive"), LINGER_MS);
  }
  const { code } = await child.status;
  clearTimeout(timer);
  const lines = stdout.split("\n");
  const told = lines.filter((line) => line.startsWith(TELL)).map((line) => JSON.parse(line.slice(TELL.length)));
  const output = `${lines.filter((line) => line !== "" && !line.startsWith(TELL)).join("\n")}\n${await stderr}`;
  const problem = killed ?? (code === 0 && hasEnded ? undefined : `ended with code ${code}`);
  return { told: told.filter((line) => line !== "end"), output, ...(problem === undefined ? {} : { problem }) };
}
