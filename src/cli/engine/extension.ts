/**
 * What users add to an engine that the command runs: a module of theirs with invokers and handlers.
 *
 * @module
 */

import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { AsyncInvokerOptions, Handler, Invoker, InvokerFunction } from "../../../mod.ts";
import { CommandError, EXIT } from "../failure.ts";

/** What a module may export. */
export interface Extension {
  /** Invokers by kind, as `createServer` takes them. */
  readonly invokers: Record<string, Invoker | InvokerFunction>;
  /** Invokers by kind whose work goes through a durable queue. */
  readonly asyncInvokers: Record<string, AsyncInvokerOptions>;
  /** Handlers of tasks by subject, as `server.handle` takes them. */
  readonly handlers: Record<string, Handler>;
}

const PARTS = ["invokers", "asyncInvokers", "handlers"] as const;

/** Loads a module; an empty extension where none is named. @throws {CommandError} Where it cannot be used. */
export async function loadExtension(path: string | undefined): Promise<Extension> {
  const extension: Extension = { invokers: {}, asyncInvokers: {}, handlers: {} };
  if (path === undefined) return extension;
  const found = await load(path);
  const given = PARTS.filter((part) => found[part] !== undefined);
  if (given.length === 0) {
    throw new CommandError(EXIT.usage, `${path} exports none of ${PARTS.join(", ")}`);
  }
  for (const part of given) {
    const value = found[part];
    if (typeof value !== "object" || value === null) {
      throw new CommandError(EXIT.usage, `${part} of ${path} is no object`);
    }
    Object.assign(extension[part], value);
  }
  return extension;
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    return await import(/^[a-z]+:/i.test(path) ? path : pathToFileURL(resolve(path)).href);
  } catch (cause) {
    throw new CommandError(EXIT.usage, `${path} cannot be loaded: ${(cause as Error).message}`, undefined, { cause });
  }
}
