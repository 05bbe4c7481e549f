import { assert, assertEquals } from "@std/assert";
import { buildFlow } from "../flow/mod.ts";
import type { EdgeDef, NodeDef } from "../flow/types.ts";
import { begin } from "./decide.ts";
import type { Outcome } from "./events.ts";
import { hasEnded, type State } from "./state.ts";
import { explore, type Scenario } from "./testing/explorer.ts";
import type { Command } from "./testing/processes.ts";
import { readHead } from "./testing/stream.ts";

const OK: Outcome = { status: "ok", payload: { value: 1 }, bytes: 1 };
const SIGNAL: Command = {
  event: { type: "signal", name: "go", payload: { value: "went" }, sequence: 7 },
  mail: "go",
  sequence: 7,
};
const CANCEL: Command = { event: { type: "cancel", reason: "enough" }, sequence: 8 };
const CALM = { stale: 0, crash: 0, safety: 0 };

function task(id: string, more: Partial<NodeDef> = {}): NodeDef {
  return { id, type: "task", subject: "s", ...more } as NodeDef;
}

function scenarioOf(
  nodes: NodeDef[],
  edges: [string, string][],
  options: Partial<Omit<Scenario, "flow" | "first">>,
): Scenario {
  const flow = buildFlow({ name: "f", nodes, edges: edges.map(([from, to]): EdgeDef => ({ from, to })) });
  const missing = () => assert(false, "nothing is stored by reference here");
  const load = { value: missing as () => never, chunk: missing as () => never };
  const env = { now: 0, load, defaultTimeoutMs: 1_000, leaseMs: 1_000 };
  const first = begin(flow, { id: "x", definition: "d", input: { value: {} } }, env);
  return { flow, first, invoker: () => OK, engines: 2, commands: [], left: CALM, ...options };
}

/** Every phase the execution went through, with its node. */
function pathOf(state: State): string[] {
  return [...(state.trail ?? []).map(([, phase, node]) => `${phase} ${node}`), `${state.phase} ${state.node}`];
}

/** Explores a scenario and checks what must hold in all of them. Returns the states in which it can end. */
function endsOf(scenario: Scenario): State[] {
  const isCalm = scenario.left.crash === 0 && scenario.left.safety === 0;
  const { ends, configurations } = explore(scenario, ({ winners, begun, work, ...world }, isOver) => {
    for (const [version, times] of Object.entries(winners)) assertEquals(times, 1, `version ${version} was won twice`);
    if (isCalm) {
      for (const [name, times] of Object.entries(begun)) assertEquals(times, 1, `${name} was begun twice`);
    }
    if (!isOver) return;
    const { state } = readHead({ winners, begun, work, ...world });
    assert(hasEnded(state.phase), `it is left ${state.phase} at ${state.node}: ${pathOf(state)}`);
    assertEquals(work, [], "work is left");
  });
  assert(ends.length > 0 && configurations > 500, `${configurations} configurations, ${ends.length} ends`);
  return ends.map((world) => readHead(world).state);
}

const WAIT: [NodeDef[], [string, string][]] = [
  [
    task("first"),
    { id: "wait", type: "signal", signalName: "go", timeout: 5_000, onTimeout: "late" },
    task("late"),
  ],
  [["first", "wait"]],
];

Deno.test("a signal is not lost, whichever of engines and command crashes or is slow (R3, R7)", () => {
  const nodes: NodeDef[] = [task("first"), { id: "wait", type: "signal", signalName: "go" }];
  for (const left of [{ stale: 1, crash: 1, safety: 0 }, { stale: 1, crash: 0, safety: 1 }]) {
    for (const state of endsOf(scenarioOf(nodes, [["first", "wait"]], { commands: [SIGNAL], left }))) {
      assertEquals(state.phase, "completed");
      assertEquals(state.consumed, { go: 7 });
    }
  }
});

Deno.test("a signal and its timeout meet in every order: one of them acts, once (R2)", () => {
  const [nodes, edges] = WAIT;
  const states = [
    ...endsOf(scenarioOf(nodes, edges, { commands: [SIGNAL], left: { ...CALM, stale: 1 } })),
    ...endsOf(scenarioOf(nodes, edges, { commands: [SIGNAL], left: { ...CALM, crash: 1 }, engines: 1 })),
    ...endsOf(scenarioOf(nodes.slice(1), [], { commands: [SIGNAL], left: { ...CALM, stale: 1, crash: 1 } })),
  ];
  const ways = new Set<string>();
  for (const state of states) {
    const late = pathOf(state).filter((step) => step === "ready late").length;
    const went = pathOf(state).filter((step) => step === "completed wait").length;
    assertEquals(late + went, 1);
    assertEquals(state.consumed !== undefined, went === 1);
    ways.add(state.node);
  }
  assertEquals(ways, new Set(["wait", "late"]));
});

Deno.test("a signal, a timeout and a cancel meet in every order: one outcome, and nothing after it", () => {
  const [nodes, edges] = WAIT;
  const left = { ...CALM, stale: 1 };
  const commands = [SIGNAL, CANCEL];
  const states = [
    ...endsOf(scenarioOf(nodes, edges, { commands, left, engines: 1 })),
    ...endsOf(scenarioOf(nodes.slice(1), [], { commands, left })),
  ];
  const outcomes = new Set(states.map(({ phase, node }) => `${phase} ${node}`));
  const cancelled = ["cancelled first", "cancelled wait", "cancelled late"];
  assertEquals(outcomes, new Set([...cancelled, "completed wait", "completed late"]));
  for (const state of states) {
    const ended = pathOf(state).filter((step) => /^(completed|cancelled)/.test(step));
    assertEquals(ended, [`${state.phase} ${state.node}`]);
    assertEquals(state.error, state.phase === "cancelled" ? "enough" : undefined);
  }
});

Deno.test("a retry delay and a cancel meet in every order, and an engine crashes: one outcome", () => {
  const flaky = task("first", { retry: { maxAttempts: 2 } } as Partial<NodeDef>);
  const states = endsOf(scenarioOf([flaky, task("last")], [["first", "last"]], {
    commands: [CANCEL],
    left: { stale: 1, crash: 1, safety: 0 },
    invoker: ({ node, attempt }) => node === "first" && attempt === 0 ? { status: "retry", error: "busy" } : OK,
  }));
  const outcomes = new Set(states.map(({ phase, node }) => `${phase} ${node}`));
  assertEquals(outcomes, new Set(["cancelled first", "cancelled last", "completed last"]));
  for (const state of states) assert(pathOf(state).filter((step) => step === "delayed first").length <= 1);
});

function completionOf(node: string): Command {
  return { event: { type: "completion", node, attempt: 0, generation: 1, outcome: OK }, mail: node, sequence: 9 };
}

const FAN: NodeDef[] = [
  { id: "fan", type: "fanout", branches: ["quick", "slow"] },
  task("quick"),
  task("slow"),
];

Deno.test("a pending branch is completed in every order with its park and its sibling, crash or not (R3, R7)", () => {
  const join: NodeDef = { id: "join", type: "fanin", waitFor: ["quick", "slow"] };
  const states = endsOf(scenarioOf([...FAN, join], [["fan", "join"]], {
    commands: [completionOf("slow")],
    left: { ...CALM, crash: 1 },
    invoker: ({ node }) => node === "slow" ? { status: "pending" } : OK,
  }));
  for (const state of states) {
    assertEquals(state.phase, "completed");
    assertEquals(Object.keys(state.results).sort(), ["quick", "slow"]);
  }
});

Deno.test("the late result of a branch nobody waits for is recorded, whenever it comes and whoever crashes (R7)", () => {
  const join: NodeDef = { id: "join", type: "fanin", waitFor: ["quick"] };
  const edges: [string, string][] = [["fan", "join"], ["join", "after"]];
  const troubles = [
    { engines: 2, left: CALM },
    { engines: 1, left: { ...CALM, stale: 1, safety: 1 } },
    { engines: 1, left: { ...CALM, crash: 1 } },
  ];
  for (const trouble of troubles) {
    const states = endsOf(scenarioOf([...FAN, join, task("after")], edges, {
      commands: [completionOf("slow")],
      invoker: ({ node }) => node === "slow" ? { status: "pending" } : OK,
      ...trouble,
    }));
    for (const state of states) {
      assertEquals(`${state.phase} ${state.node}`, "completed after");
      assertEquals(Object.keys(state.results).sort(), ["after", "quick", "slow"]);
      assertEquals(state.branches!.slow!.status, "completed");
    }
  }
});
