import { createServer, type Server } from "node:net";
import { hasCode } from "./files.ts";

/**
 * Ports for servers: below the range that systems hand to outgoing connections, so that no client that happens to
 * connect (least of all one that reconnects to a killed server) sits on a server's port when it restarts.
 */
const FIRST = 15_000;
const COUNT = 15_000;

/** A port that is probably free; whoever binds it must be ready to try another. */
export function randomPort(): number {
  return FIRST + Math.floor(Math.random() * COUNT);
}

/** Different ports that were all free in the same moment. */
export async function freePorts(count: number): Promise<number[]> {
  const held = new Map<number, Server>();
  try {
    while (held.size < count) {
      const port = randomPort();
      const listener = held.has(port) ? undefined : await hold(port);
      if (listener !== undefined) held.set(port, listener);
    }
    return [...held.keys()];
  } finally {
    await Promise.all([...held.values()].map(release));
  }
}

/** Listens on a port; `undefined` where something else does. */
function hold(port: number): Promise<Server | undefined> {
  const listener = createServer();
  return new Promise((resolve, reject) => {
    listener.once("error", (error) => hasCode(error, "EADDRINUSE") ? resolve(undefined) : reject(error));
    listener.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(listener));
  });
}

function release(listener: Server): Promise<void> {
  return new Promise((resolve) => listener.close(() => resolve()));
}
