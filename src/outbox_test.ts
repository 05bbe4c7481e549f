import { assertEquals } from "@std/assert";
import { Outbox } from "./outbox.ts";

const turn = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

Deno.test("what one turn of the event loop sends goes out together at its end, in order", async () => {
  const outbox = new Outbox();
  const sent: string[] = [];
  outbox.send(() => sent.push("first"));
  await Promise.resolve();
  outbox.send(() => sent.push("second"));
  assertEquals(sent, []);
  await turn();
  assertEquals(sent, ["first", "second"]);
});

Deno.test("what is in no hurry goes out with what is sent next, or by itself", async () => {
  const outbox = new Outbox();
  const sent: string[] = [];
  outbox.sendLater(() => sent.push("ack"));
  outbox.send(() => sent.push("head"));
  outbox.finish();
  assertEquals(sent, ["ack", "head"]);
  await new Promise<void>((resolve) => outbox.sendLater(resolve));
});

Deno.test("an outbox that is finished has sent all, leaves no timer, and can be used again", async () => {
  const outbox = new Outbox();
  const sent: string[] = [];
  outbox.sendLater(() => sent.push("ack"));
  outbox.finish();
  outbox.finish();
  assertEquals(sent, ["ack"]);
  outbox.send(() => sent.push("again"));
  await turn();
  assertEquals(sent, ["ack", "again"]);
});
