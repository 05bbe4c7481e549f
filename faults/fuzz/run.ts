/** `deno task faults --fuzz`. @module */

import { startNatsServer } from "../../tools/nats.ts";
import type { IngressReport } from "./ingress.ts";
import { fuzz } from "./mod.ts";

/** Messages for the ingress of a real server; each is a few round trips, so there are not as many as cases. */
const MESSAGES = 5_000;

const CHILD = new URL("./ingress_child.ts", import.meta.url);
const ROOT = new URL("../../", import.meta.url);

/** Fuzzes all targets, and the ingress of a server, and prints what came of it. */
export async function runFuzz(cases: number, seed: number, only?: string): Promise<void> {
  console.log(`seed ${seed}`);
  const begin = performance.now();
  const reports = await fuzz({ cases, seed, log: console.log, ...(only === undefined ? {} : { only }) });
  const seconds = (performance.now() - begin) / 1_000;
  const total = reports.reduce((sum, report) => sum + report.cases, 0);
  if (reports.length > 0) {
    const worst = reports.reduce((one, other) => other.worstMs > one.worstMs ? other : one);
    console.log(`${total} cases in ${Math.round(seconds)} s, ${Math.round(total / seconds)}/s; bugs: 0`);
    console.log(`worst case: ${worst.target}, ${worst.worstMs.toFixed(1)} ms: ${worst.worstInput.slice(0, 300)}`);
  }
  if (only === undefined || "ingress".includes(only)) await runIngress(seed, Math.min(MESSAGES, Math.ceil(cases / 10)));
}

async function runIngress(seed: number, messages: number): Promise<void> {
  await using server = await startNatsServer();
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--v8-flags=--expose-gc", CHILD.href, JSON.stringify({ seed, messages, url: server.url })],
    cwd: ROOT,
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  });
  const { code, stdout } = await child.output();
  if (code !== 0) throw new Error(`fuzzing the ingress failed, seed ${seed}`);
  const { taken, refused, deadLetters, started, perSecond, heapGrowth = 0 }: IngressReport = JSON.parse(
    new TextDecoder().decode(stdout),
  );
  const growth = `heap ${(heapGrowth / 2 ** 20).toFixed(1)} MiB more`;
  console.log(
    `ingress: ${taken} messages (${refused} refused by the server), ${deadLetters} dead letters, ${started} starts, ` +
      `none lost; ${Math.round(perSecond)}/s, ${growth}`,
  );
}
