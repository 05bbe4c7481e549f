/**
 * The development loop: an engine whose flows are those of a folder, whatever they are by now.
 *
 * @module
 */

import { setTimeout as pause } from "node:timers/promises";
import { type Connection, type FlowDef, type Server, ValidationError } from "../../../mod.ts";
import { plainLogger } from "../command.ts";
import { checkTexts, type FlowFile, type FlowText, readTexts } from "../flow_files.ts";
import { withEchoes } from "./echo.ts";
import type { Extension } from "./extension.ts";
import { type RunningEngine, startEngine } from "./running.ts";

/** What a development loop is told. */
export interface DevOptions {
  readonly namespace: string;
  /** The folder, or the files. */
  readonly paths: readonly string[];
  /** The user's own invokers and handlers. */
  readonly extension: Extension;
  /** How long echoes take, in milliseconds; none where absent. */
  readonly echoMs?: number;
  /** Is told what was loaded, or why nothing was. */
  loaded(files: readonly FlowFile[], error?: unknown): void;
}

/** How long an engine that is replaced may take to end its work, in milliseconds. */
const DRAIN_MS = 5_000;

/** How often files are looked at, in milliseconds: one that changes is loaded when it was left alone between two looks. */
const LOOK_MS = 200;

/** How long after the server refused flows they are tried again, in milliseconds. */
const RETRY_MS = 3_000;

/** What is in the files at a time, or why they cannot be read. */
interface Look {
  readonly texts: readonly FlowText[];
  readonly error?: unknown;
}

/** What came of a look. */
interface Tried {
  readonly look: Look;
  /** What kept it from being loaded though nothing is wrong with the files, and when to try again, in milliseconds. */
  readonly failure?: { readonly problem: string; readonly retryAt: number };
}

/** An engine that is replaced by another when its flows change. Executions keep the definition they began with. */
export class DevEngine {
  readonly #nc: Connection;
  readonly #options: DevOptions;
  readonly #ending = new Set<Promise<void>>();
  #engine: RunningEngine | undefined;
  #tried: Tried | undefined;

  /** Creates an engine that does not run. */
  constructor(nc: Connection, options: DevOptions) {
    this.#nc = nc;
    this.#options = options;
  }

  /** The server that runs; `undefined` while no flow is valid. */
  get server(): Server | undefined {
    return this.#engine?.server;
  }

  /** Reads the flows. Where they changed and are valid, another engine takes over; otherwise the old one goes on. */
  async load(): Promise<void> {
    const look = await this.#look();
    if (this.#isDue(look)) await this.#load(look);
  }

  /**
   * Loads again whenever a file changes, until the signal is aborted. It looks again and again: what the system tells
   * of changes is lost with a folder that is removed and made anew, and with a file that an editor replaces. What could
   * not be loaded because of the NATS server is tried again in a while, and told of once.
   */
  async watch(signal: AbortSignal): Promise<void> {
    let last: Look | undefined;
    while (!signal.aborted) {
      await pause(LOOK_MS, undefined, { signal }).catch(() => {});
      const look = await this.#look();
      const isQuiet = last !== undefined && isSame(look, last);
      last = look;
      if (isQuiet && !signal.aborted && this.#isDue(look)) await this.#load(look);
    }
  }

  /** Ends the engine, and those that are still ending. */
  async close(): Promise<void> {
    this.#end(this.#engine);
    await Promise.all(this.#ending);
  }

  async #look(): Promise<Look> {
    try {
      return { texts: await readTexts(this.#options.paths) };
    } catch (error) {
      return { texts: [], error };
    }
  }

  #isDue(look: Look): boolean {
    if (this.#tried === undefined || !isSame(look, this.#tried.look)) return true;
    const { failure } = this.#tried;
    return failure !== undefined && performance.now() >= failure.retryAt;
  }

  async #load(look: Look): Promise<void> {
    const { extension, echoMs, loaded } = this.#options;
    const before = this.#tried;
    this.#tried = { look };
    let files: FlowFile[] = [];
    try {
      if (look.error !== undefined) throw look.error;
      const kinds = [...Object.keys(extension.invokers), ...Object.keys(extension.asyncInvokers)];
      files = checkTexts(look.texts, echoMs === undefined ? kinds : undefined);
      if (files.every(({ issues }) => issues.length === 0)) await this.#replace(files);
      loaded(files);
    } catch (error) {
      const problem = String(error);
      // Whatever is wrong with the files is wrong until they change.
      const isPassing = look.error === undefined && !(error instanceof ValidationError);
      if (isPassing) this.#tried = { look, failure: { problem, retryAt: performance.now() + RETRY_MS } };
      const isKnown = before !== undefined && isSame(look, before.look) && before.failure?.problem === problem;
      if (!isKnown) loaded(files, error);
    }
  }

  async #replace(files: readonly FlowFile[]): Promise<void> {
    const { namespace, extension, echoMs } = this.#options;
    const flows: FlowDef[] = files.map(({ flow }) => flow!.definition);
    const parts = echoMs === undefined ? extension : withEchoes(extension, flows, echoMs);
    const options = { namespace, flows, logger: plainLogger, drainTimeout: DRAIN_MS };
    const old = this.#engine;
    this.#engine = await startEngine(this.#nc, options, parts);
    this.#engine.ended.catch((error) => plainLogger.error(`the engine ended: ${(error as Error).message}`));
    this.#end(old);
  }

  #end(engine: RunningEngine | undefined): void {
    if (engine === undefined) return;
    const ending = engine.server.close().finally(() => this.#ending.delete(ending));
    this.#ending.add(ending);
  }
}

function isSame(look: Look, other: Look): boolean {
  const said = ({ texts, error }: Look) => JSON.stringify([texts, error === undefined ? "" : (error as Error).message]);
  return said(look) === said(other);
}
