/**
 * A process of {@linkcode startCrashProcess}: an engine, or a worker of an async invoker, that stops when its standard
 * input ends. Told to, it holds back what it would write next once an attempt has ended: as a process does that is killed
 * at that point.
 *
 * @module
 */

import type { NatsConnection } from "@nats-io/nats-core";
import { type AsyncInvokerOptions, createServer, type InvokeRequest, type Result, serveAsync } from "../../mod.ts";
import type { CrashProcessOptions } from "./crash_process.ts";
import { askTest, readySubject } from "./engine_process.ts";
import { connectTo } from "./space.ts";

type Settings = CrashProcessOptions & { url: string; namespace: string; ownerId: string };

async function main({ url, namespace, ownerId, engine, worker, holds }: Settings): Promise<void> {
  const nc = await connectTo(url);
  let answered = false;
  if (holds !== undefined) {
    holdBack(nc, (subject) => {
      if (subject.startsWith(`${namespace}.async.`)) answered = true;
      return answered && subject.startsWith(`${namespace}.${holds}.`);
    });
  }
  const ask = askTest(nc, namespace, ownerId);
  const remote = async (request: InvokeRequest): Promise<Result> => {
    const result = await ask(request);
    answered = true;
    return result;
  };
  const quiet = () => {};
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const closed: (() => Promise<void>)[] = [];
  if (engine !== undefined) {
    const { hosted = [], elsewhere = [], ...options } = engine;
    const asyncInvokers: Record<string, AsyncInvokerOptions> = {};
    for (const kind of hosted) asyncInvokers[kind] = { invoker: remote };
    for (const kind of elsewhere) asyncInvokers[kind] = { invoker: "elsewhere" };
    const server = await createServer(nc, { ...options, namespace, logger, invokers: { remote }, asyncInvokers });
    await server.init();
    void server.run();
    closed.push(() => server.close());
  }
  if (worker !== undefined) {
    const running = await serveAsync(nc, { ...worker, namespace, logger, invoker: remote });
    closed.push(() => running.stop());
  }
  nc.publish(readySubject(namespace, ownerId));
  for await (const _chunk of Deno.stdin.readable) { /* until it ends */ }
  for (const close of closed) await close();
  await nc.close();
}

function holdBack(nc: NatsConnection, isHeld: (subject: string) => boolean): void {
  const publish = nc.publish.bind(nc);
  nc.publish = (subject, ...rest) => {
    if (!isHeld(subject)) publish(subject, ...rest);
  };
}

if (import.meta.main) {
  await main(JSON.parse(Deno.args[0]!));
  Deno.exit(0);
}
