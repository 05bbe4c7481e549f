import { assertEquals } from "@std/assert";
import { isLoopback } from "./loopback.ts";

Deno.test("loopback addresses are told from all others, and from names that look like them", () => {
  for (const address of ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", "::FFFF:127.0.0.1"]) {
    assertEquals(isLoopback(address), true, address);
  }
  const others = ["", "0.0.0.0", "::", "10.0.0.1", "1270.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "fe80::1", "::11"];
  for (const address of [...others, "127.evil.example", "127.0.0.1.evil.example", "x127.0.0.1"]) {
    assertEquals(isLoopback(address), false, address);
  }
});
