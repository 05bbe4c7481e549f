import { assert, assertEquals, assertMatch } from "@std/assert";
import type { FlowDef } from "../mod.ts";
import { chain, ended, inSpace, Recorder } from "./support/mod.ts";

const routed: FlowDef = {
  name: "routed",
  nodes: [
    { id: "score", type: "task", invoker: "f" },
    {
      id: "route",
      type: "choice",
      rules: [
        { when: "payload.risk > 80", to: "high" },
        { when: "payload.tags contains 'vip' or input.vip", to: "vip" },
        { default: true, to: "second" },
      ],
    },
    {
      id: "second",
      type: "choice",
      rules: [{ when: "last_node == 'score'", to: "low" }, { default: true, to: "high" }],
    },
    { id: "high", type: "task", invoker: "f" },
    { id: "vip", type: "task", invoker: "f" },
    { id: "low", type: "task", invoker: "f" },
  ],
  edges: [{ from: "score", to: "route" }],
};

Deno.test("a choice takes the first rule that matches; a rule that cannot be evaluated does not", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId, payload }) => {
      return { status: "ok", payload: nodeId === "score" ? payload : { ended: nodeId } };
    });
    const { server } = await space.engine({ flows: [routed], invokers: { f: f.invoke } });
    const cases: [Record<string, never> | Record<string, unknown>, string][] = [
      [{ risk: 81 }, "high"],
      [{ risk: 80, tags: "a vip one" }, "vip"],
      [{ risk: "high", vip: true, tags: "" }, "vip"],
      [{ vip: true, tags: "none" }, "vip"],
      [{ vip: true }, "vip"],
      [{ vip: true, tags: 5 }, "low"], // a number contains nothing: the second rule cannot be evaluated
      [{ risk: 1, tags: "" }, "low"],
      [{}, "low"],
    ];
    for (const [payload, end] of cases) {
      const id = await server.start("routed", payload as Record<string, never>);
      const execution = await ended(server, id);
      assertEquals([execution.status, execution.payload], ["completed", { ended: end }], JSON.stringify(payload));
      const visited = (await server.history(id)).map((event) => event.node);
      assert(visited.includes("route"), "a choice that is walked through shows in the history");
      assertEquals(visited.includes("second"), end === "low");
    }
  }));

Deno.test("a choice of on_error: fail fails the execution, with the rule and the reason", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "strict",
      nodes: [
        { id: "first", type: "task", invoker: "f" },
        {
          id: "route",
          type: "choice",
          onError: "fail",
          rules: [{ when: "payload.risk > 80", to: "end" }, { default: true, to: "end" }],
        },
        { id: "end", type: "task", invoker: "f" },
      ],
      edges: [{ from: "first", to: "route" }],
    };
    const f = new Recorder();
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const { status, currentNode, error } = await ended(server, await server.start("strict", { risk: "much" }));
    assertEquals([status, currentNode], ["failed", "route"]);
    assertMatch(error!, /payload\.risk > 80|rule/);
    assertEquals((await ended(server, await server.start("strict", { risk: 1 }))).status, "completed");
  }));

Deno.test("a flow may go round, and every entry to a node is a generation of its own", () =>
  inSpace(async (space) => {
    const flow: FlowDef = {
      name: "loop",
      nodes: [
        { id: "begin", type: "task", invoker: "f" },
        { id: "work", type: "task", invoker: "f" },
        { id: "enough", type: "choice", rules: [{ when: "payload.n >= 5", to: "end" }, { default: true, to: "work" }] },
        { id: "end", type: "task", invoker: "f" },
      ],
      edges: [{ from: "begin", to: "work" }, { from: "work", to: "enough" }],
    };
    const f = new Recorder(({ nodeId, payload }) => {
      return nodeId === "work" ? { status: "ok", payload: { n: (payload as { n: number }).n + 1 } } : { status: "ok" };
    });
    const { server } = await space.engine({ flows: [flow], invokers: { f: f.invoke } });
    const id = await server.start("loop", { n: 0 });
    const execution = await ended(server, id);
    assertEquals([execution.status, execution.payload], ["completed", { n: 5 }]);
    const generations = f.requests.map((request) => request.generation);
    assertEquals(f.nodes, ["begin", "work", "work", "work", "work", "work", "end"]);
    for (let index = 1; index < generations.length; index++) {
      assert(generations[index]! > generations[index - 1]!, `generations rise: ${generations}`);
    }
    assertEquals(new Set(f.keys).size, f.keys.length);
    assertEquals((await server.results(id)).results.work, { n: 5 }, "the latest output of a node counts");
    const nodes = (await server.history(id)).map((event) => event.node);
    assertEquals(nodes.filter((node) => node === "enough").length, 5);
  }));

Deno.test("a long flow keeps every output, wherever it is stored", () =>
  inSpace(async (space) => {
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: { nodeId, text: "x".repeat(500) } }));
    const { server } = await space.engine({ flows: [chain("long", 40)], invokers: { f: f.invoke } });
    const id = await server.start("long");
    assertEquals((await ended(server, id)).status, "completed");
    const { results } = await server.results(id);
    assertEquals(Object.keys(results).length, 40);
    for (const [node, output] of Object.entries(results)) assertEquals((output as { nodeId: string }).nodeId, node);
    assertEquals(Object.keys(f.requests.at(-1)!.context.results).length, 39, "and every invoker sees those before it");
    const history = await server.history(id);
    assertEquals(history.map((event) => event.node), [...Array.from({ length: 40 }, (_, n) => `n${n}`), "n39"]);
    assertEquals((await server.history(id, { limit: 3 })).map((event) => event.status), [
      "running",
      "running",
      "completed",
    ]);
  }));

Deno.test("outputs too large for a head come back whole", () =>
  inSpace(async (space) => {
    const large = "ü".repeat(100_000);
    const f = new Recorder(({ nodeId }) => ({ status: "ok", payload: { nodeId, large } }));
    const { server } = await space.engine({ flows: [chain("large", 3)], invokers: { f: f.invoke } });
    const id = await server.start("large", { large });
    assertEquals((await ended(server, id)).payload, { nodeId: "n2", large });
    const { input, results } = await server.results(id);
    assertEquals(input, { large });
    assertEquals(Object.keys(results), ["n0", "n1", "n2"]);
    assertEquals(f.requests[1]!.payload, { nodeId: "n0", large });
  }));
