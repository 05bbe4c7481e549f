import { assert, assertEquals, assertThrows } from "@std/assert";
import process from "node:process";
import { parseFlow } from "./mod.ts";
import { withoutEnvironment } from "./without_environment.ts";

Deno.test("a flow is read without permission to read the environment", { permissions: "none" }, () => {
  assertEquals(parseFlow("name: f\nnodes: [{id: a, type: task, subject: s}]").start, "a");
});

Deno.test("the environment is there again, also after an error", () => {
  const environment = process.env;
  assertEquals(withoutEnvironment(() => Object.keys(process.env)), []);
  assertThrows(() =>
    withoutEnvironment(() => {
      throw new TypeError("mine");
    }), TypeError);
  assert(process.env === environment);
});
