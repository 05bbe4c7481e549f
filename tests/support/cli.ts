/** The command as a child process: run to its end, or for as long as a test needs it. @module */

import { assertEquals } from "@std/assert";
import { dirname, join } from "node:path";
import { PATIENCE_MS, until } from "./until.ts";

const ROOT = dirname(dirname(import.meta.dirname!));
const MAIN = join(ROOT, "src", "cli", "main.ts");

/** How a command ended. */
export interface Ended {
  /** Its exit code. */
  code: number;
  /** What it printed. */
  stdout: string;
  /** What it said on standard error. */
  stderr: string;
}

/** Where commands run. */
export interface Surroundings {
  /** Variables; none of the test's own server and namespace are passed on. */
  env?: Record<string, string>;
  /** The folder. */
  cwd?: string;
  /** What comes on standard input. */
  input?: string;
}

const NEUTRAL = {
  NATS_URL: "",
  NATS_CREDS: "",
  NATS_CONTEXT: "",
  PACKTRAIL_NAMESPACE: "",
  NO_COLOR: "",
  FORCE_COLOR: "",
  TZ: "UTC",
};

function command(args: readonly string[], { env = {}, cwd = ROOT, input }: Surroundings): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", "--config", join(ROOT, "deno.json"), MAIN, ...args],
    env: { ...NEUTRAL, HOME: cwd, XDG_CONFIG_HOME: join(cwd, ".config"), DENO_DIR: denoFolder(), ...env },
    cwd,
    stdin: input === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  });
}

let folder: string | undefined;

/** Where Deno keeps what it has loaded: with another home folder it would load everything again. */
function denoFolder(): string {
  if (folder === undefined) {
    const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
    folder = JSON.parse(new TextDecoder().decode(stdout)).denoDir as string;
  }
  return folder;
}

/** Runs a command to its end. */
export async function packtrail(args: readonly string[], surroundings: Surroundings = {}): Promise<Ended> {
  const child = command(args, surroundings).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
  if (surroundings.input !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(surroundings.input));
    await writer.close();
  }
  const { code, stdout, stderr } = await child.output().finally(() => clearTimeout(timer));
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

/** Runs a command that has to work. Returns what it printed. */
export async function printed(args: readonly string[], surroundings: Surroundings = {}): Promise<string> {
  const { code, stdout, stderr } = await packtrail(args, surroundings);
  assertEquals({ code, stderr }, { code: 0, stderr: "" }, `${args.join(" ")}: ${stdout}${stderr}`);
  return stdout;
}

/** Runs a command with `--json` that has to work. Returns what it printed. */
// deno-lint-ignore no-explicit-any
export async function printedJson(args: readonly string[], surroundings: Surroundings = {}): Promise<any> {
  return JSON.parse(await printed([...args, "--json"], surroundings));
}

/** A command that goes on until it is ended. */
export interface Going extends AsyncDisposable {
  /** What it has printed. */
  readonly stdout: string;
  /** What it has said on standard error. */
  readonly stderr: string;
  /** Waits until it has printed something. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Ends it as an operator would. Returns its exit code. */
  end(): Promise<number>;
}

/** Starts a command. */
export function startPacktrail(args: readonly string[], surroundings: Surroundings = {}): Going {
  const child = command(args, surroundings).spawn();
  const read = { stdout: "", stderr: "" };
  const reading = (["stdout", "stderr"] as const).map(async (name) => {
    for await (const text of child[name].pipeThrough(new TextDecoderStream())) read[name] += text;
  });
  let code: number | undefined;
  const status = child.status.then((ended) => code = ended.code);
  const end = async () => {
    if (code === undefined) child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), PATIENCE_MS);
    await status.finally(() => clearTimeout(timer));
    await Promise.all(reading);
    return code!;
  };
  return {
    get stdout() {
      return read.stdout;
    },
    get stderr() {
      return read.stderr;
    },
    async printed(pattern) {
      return await until(() => {
        const match = pattern.exec(read.stdout);
        if (match === null && code !== undefined) {
          throw new Error(`it ended with ${code}: ${read.stdout}${read.stderr}`);
        }
        return match;
      }, `${pattern} from ${args.join(" ")}`);
    },
    end,
    async [Symbol.asyncDispose]() {
      await end();
    },
  };
}

/** A folder that goes with what is done in it. */
export async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
