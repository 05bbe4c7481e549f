import { assertEquals } from "@std/assert";
import type { Execution } from "../../mod.ts";
import { redactor } from "./redact.ts";
import { executionWire } from "./wire.ts";

const SECRET = "4111-1111";
const value = { card: SECRET, kind: "visa" };

Deno.test("a path that hides a part of an execution hides each value in it, however it is come by", () => {
  const hide = redactor(["results", "customer.*"]);
  assertEquals(hide(value, ["results", "triage"]), "[redacted]");
  assertEquals(hide({ results: { triage: value } }), { results: "[redacted]" });
  assertEquals(hide(value, ["customer", "paid", "by"]), "[redacted]");
  assertEquals(hide(value, ["signals", "results_of_triage"]), value);
  assertEquals(hide(value), value);
});

Deno.test("a branch's result is hidden by its path in the answer, and by that in the context", () => {
  const time = new Date(0);
  const branch = { node: "triage", status: "completed" as const, attempt: 0, result: value };
  const execution: Execution = {
    id: "x",
    flow: "f",
    status: "running",
    currentNode: "join",
    attempt: 0,
    generation: 1,
    payload: {},
    startedAt: time,
    updatedAt: time,
    revision: 1,
    definition: "d",
    branches: { triage: branch },
  };
  const paths = ["branches", "branches.triage", "branches.triage.card", "branches.triage.result.card", "result.card"];
  for (const path of paths) {
    assertEquals(JSON.stringify(executionWire(execution, redactor([path]))).includes(SECRET), false, path);
  }
  assertEquals(JSON.stringify(executionWire(execution, redactor(["branches.other"]))).includes(SECRET), true);
});
