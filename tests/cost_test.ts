import { assert, assertEquals } from "@std/assert";
import { jetstreamManager } from "@nats-io/jetstream";
import { startNatsServer } from "../tools/nats.ts";
import { chain, inSpace, Recorder, until } from "./support/mod.ts";

const EXECUTIONS = 50;
const STEPS = 10;

Deno.test("ten no-op steps cost at most 1.2 stored messages each, and no read of state on the way", async () => {
  await using nats = await startNatsServer(); // of its own, so that every request on it is this test's
  await inSpace(async (space) => {
    const f = new Recorder();
    const server = await space.server({ flows: [chain("ten", STEPS)], invokers: { f: f.invoke } });
    await server.init();
    space.run(server);
    const jsm = await jetstreamManager(space.nc);
    const streams = [space.names.executionStream(), space.names.inboxStream, space.names.dataStream];
    const stored = () => Promise.all(streams.map(async (name) => (await jsm.streams.info(name)).state.last_seq));
    const before = await stored();

    const spy = await space.connect();
    const asked: string[] = [];
    let completed = 0;
    spy.subscribe("$JS.API.>", { callback: (_error, msg) => void asked.push(msg.subject) });
    spy.subscribe(space.names.events("completed"), { callback: () => void completed++ });
    await spy.flush();

    await Promise.all(Array.from({ length: EXECUTIONS }, (_, n) => server.start("ten", { n })));
    await until(() => completed === EXECUTIONS);
    await spy.flush();
    assertEquals(f.requests.length, EXECUTIONS * STEPS);
    assert(asked.some((subject) => subject.includes(".MSG.NEXT.")), "the spy sees what is asked");
    const reads = asked.filter((subject) => /\.(MSG\.GET|DIRECT\.GET)\./.test(subject));
    assertEquals(reads, [], "nothing that is stored is read");
    // The engine looks after its consumers and sweeps about once a second, however many steps there are.
    const looks = asked.filter((subject) => /\.INFO\./.test(subject));
    assert(looks.length < EXECUTIONS, `${looks.length} looks at streams and consumers`);

    const [executions, inbox, data] = (await stored()).map((last, index) => last - before[index]!);
    const perStep = executions! / (EXECUTIONS * STEPS);
    assert(perStep <= 1.2, `${perStep} stored messages a step`);
    assertEquals([inbox, data], [0, 0], "nothing is stored elsewhere");
  }, { url: nats.url });
});
