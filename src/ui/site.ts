/**
 * What every page and every route works with.
 *
 * @module
 */

import type { Server } from "../../mod.ts";
import type { Counter } from "./counts.ts";
import type { Live } from "./live.ts";
import type { CheckedOptions } from "./options.ts";
import type { Guard } from "./security.ts";

/** One dashboard. */
export interface Site {
  /** The server whose namespace is shown. */
  readonly server: Server;
  /** The options. */
  readonly options: CheckedOptions;
  /** The live events. */
  readonly live: Live;
  /** Counts of executions, for pages. */
  readonly counter: Counter;
  /** Who may ask. */
  readonly guard: Guard;
}

/** One request that has been let in. */
export interface Visit {
  /** The dashboard. */
  readonly site: Site;
  /** The request. */
  readonly request: Request;
  /** Its address, without the base path. */
  readonly path: string;
  /** Its query. */
  readonly query: URLSearchParams;
  /** The nonce of the answer. */
  readonly nonce: string;
  /** The parts of the path that the route names. */
  readonly params: Readonly<Record<string, string>>;
  /** The time, the same for all of a page. */
  readonly now: Date;
}

/** Where something is: a path with the base path, and a query of the parameters that have a value. */
export function link(
  { site }: { site: Site },
  path: string,
  query: Record<string, string | number | undefined> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") search.set(name, String(value));
  }
  return `${site.options.basePath}${path}${search.size > 0 ? `?${search}` : ""}`;
}

/** The page of an execution. */
export function executionLink(visit: Visit, id: string): string {
  return link(visit, `/executions/${encodeURIComponent(id)}`);
}

/** The page of a flow. */
export function flowLink(visit: Visit, name: string, query: Record<string, string | undefined> = {}): string {
  return link(visit, `/flows/${encodeURIComponent(name)}`, query);
}
