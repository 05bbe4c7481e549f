/**
 * The routes: which handler answers which path.
 *
 * @module
 */

import { cancelApi, discardApi, redriveApi, resumeApi, signalApi, startApi } from "./actions.ts";
import {
  countsApi,
  deadLettersApi,
  executionApi,
  executionsApi,
  flowApi,
  flowsApi,
  flowSvg,
  health,
  historyApi,
  resultsApi,
  schedulesApi,
} from "./api.ts";
import { metrics } from "./metrics.ts";
import type { Visit } from "./site.ts";
import { eventStream } from "./stream.ts";
import {
  cancelAction,
  cancelPage,
  discardAction,
  discardPage,
  redriveAction,
  redrivePage,
  resumeAction,
  resumePage,
  signalAction,
  signalPage,
  startAction,
  startPage,
} from "./views/actions.ts";
import { deadLettersPage } from "./views/dead_letters.ts";
import { executionPage } from "./views/execution.ts";
import { executionsPage } from "./views/executions.ts";
import { flowPage, flowsPage } from "./views/flows.ts";
import { overviewPage } from "./views/overview.ts";
import { schedulesPage } from "./views/schedules.ts";
import { waitingPage } from "./views/waiting.ts";

/** Answers a request. */
export type Handler = (visit: Visit) => Promise<Response>;

/** What a path leads to. */
export interface Match {
  /** The handler of each method the path knows. */
  readonly handlers: Readonly<Partial<Record<"GET" | "POST", Handler>>>;
  /** The parts of the path that the route names. */
  readonly params: Readonly<Record<string, string>>;
}

type Route = readonly [method: "GET" | "POST", path: string, handler: Handler];

/** `:name` is one part of a path; `:name.svg` one that ends so. The first that matches counts. */
const READS: readonly Route[] = [
  ["GET", "/", overviewPage],
  ["GET", "/executions", executionsPage],
  ["GET", "/executions/:id", executionPage],
  ["GET", "/flows", flowsPage],
  ["GET", "/flows/:name", flowPage],
  ["GET", "/waiting", waitingPage],
  ["GET", "/schedules", schedulesPage],
  ["GET", "/dead-letters", deadLettersPage],
  ["GET", "/api/flows", flowsApi],
  ["GET", "/api/flows/:name.svg", flowSvg],
  ["GET", "/api/flows/:name", flowApi],
  ["GET", "/api/executions", executionsApi],
  ["GET", "/api/executions/:id", executionApi],
  ["GET", "/api/executions/:id/results", resultsApi],
  ["GET", "/api/executions/:id/history", historyApi],
  ["GET", "/api/deadletters", deadLettersApi],
  ["GET", "/api/events", eventStream],
  ["GET", "/api/counts", countsApi],
  ["GET", "/api/schedules", schedulesApi],
  ["GET", "/metrics", metrics],
  ["GET", "/healthz", health],
];

const ACTIONS: readonly Route[] = [
  ["GET", "/start", startPage],
  ["POST", "/start", startAction],
  ["GET", "/executions/:id/signal", signalPage],
  ["POST", "/executions/:id/signal", signalAction],
  ["GET", "/executions/:id/resume", resumePage],
  ["POST", "/executions/:id/resume", resumeAction],
  ["GET", "/executions/:id/cancel", cancelPage],
  ["POST", "/executions/:id/cancel", cancelAction],
  ["GET", "/dead-letters/:sequence/redrive", redrivePage],
  ["POST", "/dead-letters/:sequence/redrive", redriveAction],
  ["GET", "/dead-letters/:sequence/discard", discardPage],
  ["POST", "/dead-letters/:sequence/discard", discardAction],
  ["POST", "/api/executions", startApi],
  ["POST", "/api/executions/:id/signal", signalApi],
  ["POST", "/api/executions/:id/resume", resumeApi],
  ["POST", "/api/executions/:id/cancel", cancelApi],
  ["POST", "/api/deadletters/:sequence/redrive", redriveApi],
  ["POST", "/api/deadletters/:sequence/discard", discardApi],
];

/** What a path leads to; `undefined` where there is nothing. Actions are there only where they are allowed. */
export function findRoute(path: string, allowActions: boolean): Match | undefined {
  const handlers: Partial<Record<"GET" | "POST", Handler>> = {};
  let params: Record<string, string> | undefined;
  for (const [method, pattern, handler] of allowActions ? [...READS, ...ACTIONS] : READS) {
    const found = matchPath(pattern, path);
    if (found === undefined || handlers[method] !== undefined) continue;
    handlers[method] = handler;
    params ??= found;
  }
  return params === undefined ? undefined : { handlers, params };
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const given = path.split("/");
  if (wanted.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const value = given[index]!;
    const [name, extension] = part.startsWith(":") ? part.slice(1).split(".") : [];
    if (name === undefined) {
      if (part !== value) return undefined;
      continue;
    }
    const suffix = extension === undefined ? "" : `.${extension}`;
    if (value.length <= suffix.length || !value.endsWith(suffix)) return undefined;
    const decoded = decode(suffix === "" ? value : value.slice(0, -suffix.length));
    if (decoded === undefined) return undefined;
    params[name] = decoded;
  }
  return params;
}

function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
