/**
 * Where the time of one execution goes that has the engine to itself: between the reads and writes of the sockets of
 * this process. Beside it a bare client that does nothing but a head's way.
 *
 * `deno run -A bench/latency_profile.ts [--tasks 1]`
 *
 * @module
 */

import { Socket } from "node:net";
import { parseArgs } from "node:util";
import { AckPolicy, jetstreamManager } from "@nats-io/jetstream";
import { headers } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport-deno";
import { median } from "./finding.ts";
import { chain, noop } from "./flows.ts";
import { Ground } from "./ground.ts";

const WARM_UP = 500;
const SAMPLES = 1_000;

/** A moment on the way: a write to a socket begins or ends, or something has been read from one. */
interface Moment {
  readonly what: "write" | "written" | "read";
  readonly at: number;
}

const moments: Moment[] = [];

/** Notes every read and write of a socket: the client's transport here is that of Node. */
function watchSockets(): void {
  const { write, emit } = Socket.prototype;
  Socket.prototype.write = function (this: Socket, ...args: never[]): boolean {
    moments.push({ what: "write", at: performance.now() });
    const result = Reflect.apply(write, this, args) as boolean;
    moments.push({ what: "written", at: performance.now() });
    return result;
  } as typeof write;
  Socket.prototype.emit = function (this: Socket, ...args: never[]): boolean {
    if (args[0] === "data") moments.push({ what: "read", at: performance.now() });
    return Reflect.apply(emit, this, args) as boolean;
  } as typeof emit;
}

/** What the time between two moments is spent on. */
function segment(from: Moment | undefined, to: Moment | undefined): string {
  if (from === undefined) return "here: from the call of start to its write";
  if (from.what === "write") return "here: writing to the socket";
  if (from.what === "written") return to === undefined ? "here: the rest" : "the server, and the way to it and back";
  return to === undefined ? "here: from the last read to the end" : "here: between a read and what comes next";
}

/** Adds up what the time from `began` to `ended` was spent on, in milliseconds. */
function spent(began: number, ended: number): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (from: Moment | undefined, to: Moment | undefined, since: number, until: number) => {
    const name = segment(from, to);
    sums.set(name, (sums.get(name) ?? 0) + until - since);
  };
  let last: Moment | undefined;
  for (const moment of moments) {
    add(last, moment, last?.at ?? began, moment.at);
    last = moment;
  }
  add(last, undefined, last?.at ?? began, ended);
  return sums;
}

/** The time of a head's way with nothing on it: publish, delivery, publish, until the event of the last one. */
async function bare(ground: Ground, tasks: number): Promise<number[]> {
  const nc = await connect({ servers: ground.nats.url });
  const jsm = await jetstreamManager(nc);
  await jsm.streams.add({
    name: "bare",
    subjects: ["bare.exec.>"],
    max_msgs_per_subject: 1,
    allow_msg_schedules: true,
    allow_msg_ttl: true,
    republish: { src: "bare.exec.>", dest: "bare.events.>", headers_only: true },
  });
  await jsm.consumers.add("bare", {
    durable_name: "work",
    filter_subject: "bare.exec.ready.>",
    ack_policy: AckPolicy.Explicit,
    max_ack_pending: 8_192,
  });
  const body = new Uint8Array(ground.yardstick.bytes);
  let step = 0;
  let done: () => void = () => {};
  let unacked: { respond(): boolean } | undefined;
  const publish = (fence: number, id: string) => {
    const note = headers();
    note.append("Nats-Expected-Last-Subject-Sequence", String(fence));
    note.append("Nats-Expected-Last-Subject-Sequence-Subject", `bare.exec.*.f.${id}`);
    nc.publish(`bare.exec.${step === tasks ? "completed" : "ready"}.f.${id}`, body, {
      headers: note,
      reply: "bare.acks",
    });
    unacked?.respond();
    unacked = undefined;
  };
  nc.subscribe("bare.acks", { callback: () => {} });
  nc.subscribe("bare.events.completed.>", { callback: () => done() });
  nc.subscribe("bare.work", {
    callback: (_error, msg) => {
      if (!msg.reply?.startsWith("$JS.ACK.")) return;
      step++;
      unacked = { respond: () => msg.respond() };
      publish(Number(msg.reply.split(".")[5]), msg.subject.split(".").at(-1)!);
    },
  });
  nc.publish("$JS.API.CONSUMER.MSG.NEXT.bare.work", `{"batch":1000000}`, { reply: "bare.work" });
  const times: number[] = [];
  for (let sample = 0; sample < WARM_UP + SAMPLES; sample++) {
    const end = new Promise<void>((resolve) => done = resolve);
    const began = performance.now();
    step = 0;
    publish(0, `e${sample}`);
    await end;
    if (sample >= WARM_UP) times.push(performance.now() - began);
  }
  await nc.close();
  return times;
}

if (import.meta.main) {
  const { values } = parseArgs({ options: { tasks: { type: "string", default: "1" } } });
  const tasks = Number(values.tasks);
  watchSockets();
  await using ground = await Ground.create(false);
  const flow = chain("chain", tasks, { invoker: "noop" });
  await using space = await ground.engine({ flows: [flow], invokers: { noop } });
  await space.drive(flow.name, WARM_UP);
  const all = new Map<string, number[]>();
  const times: number[] = [];
  const rtt = await ground.yardstick.rttBetween(SAMPLES, async () => {
    moments.length = 0;
    const began = performance.now();
    await space.drive(flow.name, 1);
    const ended = performance.now();
    times.push(ended - began);
    for (const [name, time] of spent(began, ended)) (all.get(name) ?? all.set(name, []).get(name)!).push(time);
  });
  const floor = median(await bare(ground, tasks));
  const line = (name: string, ms: number) =>
    console.log(
      `${name.padEnd(48)} ${(ms * 1_000).toFixed(0).padStart(6)} µs  ${(ms / rtt).toFixed(2).padStart(6)} rtt`,
    );
  for (const [name, samples] of all) line(name, median(samples));
  line(`one execution, tasks: ${tasks}`, median(times));
  line("a bare client on the same way", floor);
  line("a lone publish (rtt)", rtt);
}
