/** What the programs share that run an engine until their standard input ends. @module */

import type { Server } from "../../mod.ts";

/** What such a program does besides. */
export interface EngineRunOptions {
  /** Called when the engine takes work. */
  ready(): void;
  /** Called with what comes on standard input. */
  onInput?(chunk: Uint8Array): void;
}

/** Runs an engine until standard input ends, and lets it drain. */
export async function runUntilInputEnds(server: Server, { ready, onInput }: EngineRunOptions): Promise<void> {
  await server.init();
  const stopping = new AbortController();
  const running = server.run({ signal: stopping.signal });
  ready();
  for await (const chunk of Deno.stdin.readable) onInput?.(chunk);
  stopping.abort();
  await running;
}
