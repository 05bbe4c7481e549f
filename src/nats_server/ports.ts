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
export function freePorts(count: number): number[] {
  const held = new Map<number, Deno.Listener>();
  try {
    while (held.size < count) {
      const port = randomPort();
      if (!held.has(port)) hold(port, held);
    }
    return [...held.keys()];
  } finally {
    for (const listener of held.values()) listener.close();
  }
}

function hold(port: number, held: Map<number, Deno.Listener>): void {
  try {
    held.set(port, Deno.listen({ hostname: "127.0.0.1", port }));
  } catch (error) {
    if (!(error instanceof Deno.errors.AddrInUse)) throw error;
  }
}
