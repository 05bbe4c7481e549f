import { assert, assertEquals } from "@std/assert";
import type { FlowGraph, GraphNode } from "../../../mod.ts";
import { type Layout, layOut, NODE_HEIGHT, NODE_WIDTH } from "./layout.ts";
import { drawFlow } from "./svg.ts";

function graph(nodes: (string | GraphNode)[], edges: string[]): FlowGraph {
  return {
    name: "flow",
    nodes: nodes.map((node) => typeof node === "string" ? { id: node, type: "task", invoker: "f" } : node),
    edges: edges.map((edge) => {
      const [from, to] = edge.split(" ");
      return { from: from!, to: to! };
    }),
  };
}

const DIRECTIONS = ["down", "right"] as const;

/** No node covers another, and all are in the picture. */
function checkPlaces({ nodes, width, height }: Layout): void {
  nodes.forEach((node, index) => {
    assert(node.x >= 0 && node.y >= 0 && node.x + NODE_WIDTH <= width && node.y + NODE_HEIGHT <= height, node.node.id);
    for (const other of nodes.slice(index + 1)) {
      const isApart = Math.abs(node.x - other.x) >= NODE_WIDTH || Math.abs(node.y - other.y) >= NODE_HEIGHT;
      assert(isApart, `${node.node.id} covers ${other.node.id}`);
    }
  });
}

function place({ nodes }: Layout, id: string): { x: number; y: number } {
  return nodes.find(({ node }) => node.id === id)!;
}

Deno.test("a chain is one straight line", () => {
  const layout = layOut(graph(["a", "b", "c"], ["a b", "b c"]), { direction: "down" });
  assertEquals(new Set(layout.nodes.map(({ x }) => x)).size, 1);
  assert(place(layout, "a").y < place(layout, "b").y && place(layout, "b").y < place(layout, "c").y);
});

Deno.test("branches stand side by side between their fan-out and their join", () => {
  const nodes: (string | GraphNode)[] = [
    { id: "fan", type: "fanout", branches: ["a", "b", "c"] },
    "a",
    "b",
    "c",
    { id: "join", type: "fanin", waitFor: ["a", "b", "c"] },
  ];
  const edges = ["fan a", "fan b", "fan c", "a join", "b join", "c join", "fan join"];
  const layout = layOut(graph(nodes, edges), { direction: "down" });
  assertEquals(new Set(["a", "b", "c"].map((id) => place(layout, id).y)).size, 1);
  assertEquals(place(layout, "fan").x, place(layout, "b").x);
  assertEquals(layout.edges.length, 6, "the edge from a fan-out to its join is what its branches are");
  checkPlaces(layout);
});

Deno.test("cycles, lone nodes and edges to nowhere are drawn too", () => {
  for (const direction of DIRECTIONS) {
    const layout = layOut(graph(["a", "b", "c", "alone"], ["a b", "b c", "c b", "c a", "a nowhere"]), { direction });
    assertEquals([layout.nodes.length, layout.edges.length], [4, 4]);
    checkPlaces(layout);
    for (const { path } of layout.edges) assert(!/NaN|undefined|Infinity/.test(path), path);
  }
});

Deno.test("no node covers another in graphs of 60 nodes of many shapes", () => {
  let seed = 1;
  const random = (below: number) => (seed = seed * 48_271 % 2_147_483_647) % below;
  for (let round = 0; round < 25; round++) {
    const ids = Array.from({ length: 60 }, (_, index) => `n${index}`);
    const edges = new Set<string>();
    for (let index = 1; index < ids.length; index++) edges.add(`n${random(index)} n${index}`);
    for (let extra = 0; extra < 30; extra++) {
      const [from, to] = [random(60), random(60)];
      if (from !== to) edges.add(`n${from} n${to}`);
    }
    for (const direction of DIRECTIONS) checkPlaces(layOut(graph(ids, [...edges]), { direction }));
  }
});

Deno.test("a wide fan is wrapped, so that the picture stays readable", () => {
  const branches = Array.from({ length: 30 }, (_, index) => `b${index}`);
  const nodes: (string | GraphNode)[] = [
    { id: "fan", type: "fanout", branches },
    ...branches,
    { id: "join", type: "fanin", waitFor: branches },
  ];
  const edges = branches.flatMap((id) => [`fan ${id}`, `${id} join`]);
  const layout = layOut(graph(nodes, edges), { direction: "down" });
  assert(layout.width < 1_600, `${layout.width} wide`);
  checkPlaces(layout);
});

Deno.test("labels, names and marks are text in the picture", () => {
  const choice: GraphNode = {
    id: "c",
    type: "choice",
    rules: [{ when: `a < "b" && c`, to: "x" }, { default: true, to: "y" }],
  };
  const flow = graph([choice, "x", "y"], ["c x", "c y"]);
  const svg = drawFlow(flow, layOut(flow, { direction: "down" })).source;
  assert(svg.includes(`<title>a &lt; &quot;b&quot; &amp;&amp; c</title>`));
  assert(svg.includes("otherwise"));
});
