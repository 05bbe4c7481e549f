import { assertEquals } from "@std/assert";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { listen, send } from "../src/ui/listen.ts";
import { within } from "./support/mod.ts";

/** Answers one request whose client goes away when `leave` is called. */
async function answerOne(answer: (outgoing: ServerResponse, leave: () => void) => Promise<void>): Promise<void> {
  const leaving = new AbortController();
  const answered = Promise.withResolvers<void>();
  const server = createServer((_incoming, outgoing) => {
    answer(outgoing, () => leaving.abort()).then(answered.resolve, answered.reject);
  });
  await new Promise<void>((resolve) => server.listen({ host: "127.0.0.1", port: 0 }, resolve));
  const { port } = server.address() as AddressInfo;
  const asked = fetch(`http://127.0.0.1:${port}/`, { signal: leaving.signal })
    .then((response) => response.text()).catch(() => {});
  try {
    await within(answered.promise, "the answer to come to an end");
  } finally {
    leaving.abort();
    await asked;
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("an answer to a client that has left already is cancelled", async () => {
  let isCancelled = false;
  await answerOne(async (outgoing, leave) => {
    const closed = new Promise((resolve) => outgoing.once("close", resolve));
    leave();
    await closed;
    await send(new Response(new ReadableStream({ cancel: () => void (isCancelled = true) })), outgoing);
  });
  assertEquals(isCancelled, true);
});

Deno.test("an answer to a client that leaves while it is sent is cancelled", async () => {
  let isCancelled = false;
  await answerOne(async (outgoing, leave) => {
    const body = new ReadableStream({ pull: leave, cancel: () => void (isCancelled = true) }, { highWaterMark: 0 });
    await send(new Response(body), outgoing);
  });
  assertEquals(isCancelled, true);
});

Deno.test("nobody waits for a client that left to take what was just read for it", async () => {
  await answerOne(async (outgoing, leave) => {
    let controller!: ReadableStreamDefaultController<Uint8Array>;
    const body = new ReadableStream<Uint8Array>({
      start: (its) => void (controller = its),
      pull: leave,
    }, { highWaterMark: 0 });
    // Before `send` listens too: what is read now is not lost by its cancelling.
    outgoing.once("close", () => controller.enqueue(new Uint8Array(1)));
    await send(new Response(body), outgoing);
  });
});

/** Stops a server while a client is there that has sent something, and reads nothing. */
async function stopAfter(said: string): Promise<void> {
  const large = new Uint8Array(64 * 1024 * 1024);
  const handler = ({ url }: Request) => Promise.resolve(new Response(url.endsWith("/large") ? large : "small"));
  const http = await listen(handler, { hostname: "127.0.0.1", port: 0 });
  const client = await Deno.connect({ hostname: "127.0.0.1", port: http.port });
  try {
    await client.write(new TextEncoder().encode(said));
    // Whoever came later has been answered: so the server knows of the client.
    assertEquals(await (await fetch(`http://127.0.0.1:${http.port}/`)).text(), "small");
    await within(http.stop(), "the server to stop");
  } finally {
    client.close();
  }
}

Deno.test("a server stops though a client does not read its answer", () =>
  stopAfter("GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n"));

Deno.test("a server stops though a client has sent half a request", () => stopAfter("GET / HTTP/1.1\r\nhost: local"));
