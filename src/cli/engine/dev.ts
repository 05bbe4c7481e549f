/**
 * The development loop: an engine whose flows are those of a folder, whatever they are by now.
 *
 * @module
 */

import { watch } from "node:fs";
import type { Connection, FlowDef, Server } from "../../../mod.ts";
import { type FlowFile, readFlowFiles } from "../flow_files.ts";
import { plainLogger } from "../command.ts";
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

/** How long files have to be left alone before they are read again, in milliseconds. */
const QUIET_MS = 150;

/** An engine that is replaced by another when its flows change. Executions keep the definition they began with. */
export class DevEngine {
  readonly #nc: Connection;
  readonly #options: DevOptions;
  readonly #ending = new Set<Promise<void>>();
  #engine: RunningEngine | undefined;
  #texts: string | undefined;

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
    const { paths, extension, echoMs, loaded } = this.#options;
    let files: FlowFile[] = [];
    try {
      const kinds = [...Object.keys(extension.invokers), ...Object.keys(extension.asyncInvokers)];
      files = await readFlowFiles(paths, echoMs === undefined ? kinds : undefined);
      const texts = JSON.stringify(files.map(({ text }) => text));
      if (texts === this.#texts) return;
      this.#texts = texts;
      if (files.every(({ issues }) => issues.length === 0)) await this.#replace(files);
      loaded(files);
    } catch (error) {
      loaded(files, error);
    }
  }

  /** Loads again whenever something changes in the folders, until the signal is aborted. */
  async watch(signal: AbortSignal): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let loading = Promise.resolve();
    const look = () => {
      clearTimeout(timer);
      timer = setTimeout(() => loading = loading.then(() => this.load()), QUIET_MS);
    };
    const watchers = this.#options.paths.map((path) => watch(path, look));
    await new Promise<void>((resolve, reject) => {
      if (signal.aborted) resolve();
      signal.addEventListener("abort", () => resolve(), { once: true });
      for (const watcher of watchers) watcher.once("error", reject);
    }).finally(() => watchers.forEach((watcher) => watcher.close()));
    clearTimeout(timer);
    await loading;
  }

  /** Ends the engine, and those that are still ending. */
  async close(): Promise<void> {
    this.#end(this.#engine);
    await Promise.all(this.#ending);
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
