import { assertEquals } from "@std/assert";
import { isSupported } from "./version.ts";

Deno.test("versions are compared by number, part for part", () => {
  const versions = ["2.14.3", "2.9.25", "1.99.99", "2.14.4", "2.14.10", "2.15.0", "3.0.0"];
  assertEquals(versions.filter(isSupported), ["2.14.4", "2.14.10", "2.15.0", "3.0.0"]);
});
