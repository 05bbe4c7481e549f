/** A connection that must not be used. @module */

import type { NatsConnection } from "@nats-io/nats-core";

/** What sends or receives something. */
const IO: ReadonlySet<PropertyKey> = new Set(
  [
    "publish",
    "publishMessage",
    "respondMessage",
    "subscribe",
    "request",
    "requestMany",
    "flush",
    "drain",
    "close",
    "rtt",
    "reconnect",
    "setServers",
  ] satisfies (keyof NatsConnection)[],
);

/** A connection on which any I/O throws, and what was tried on it. */
export interface Untouchable {
  /** The connection. */
  readonly nc: NatsConnection;
  /** What was tried. */
  readonly touches: string[];
}

/** A connection like another one, on which any I/O throws and is recorded. */
export function untouchable(nc: NatsConnection): Untouchable {
  const touches: string[] = [];
  const get = (target: NatsConnection, name: string | symbol) => {
    if (IO.has(name)) {
      return () => {
        touches.push(String(name));
        throw new Error(`the connection was used: ${String(name)}`);
      };
    }
    const value = Reflect.get(target, name, target);
    return typeof value === "function" ? value.bind(target) : value;
  };
  return { nc: new Proxy(nc, { get }), touches };
}
