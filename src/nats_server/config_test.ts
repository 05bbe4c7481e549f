import { assertEquals } from "@std/assert";
import { configText } from "./config.ts";

function settings(extra: string): string[] {
  const text = configText({ port: 15_000, folder: "/tmp/f", storeDir: "/tmp/s", extra });
  return text.slice(0, text.length - extra.length - 1).trim().split("\n").map((line) => line.split(":")[0]!);
}

Deno.test("a configuration without extra text sets all defaults", () => {
  assertEquals(settings(""), ["ports_file_dir", "jetstream", "host", "port", "store_dir"]);
});

Deno.test("a store folder of the caller's own replaces the default", () => {
  assertEquals(settings('jetstream {\n  store_dir: "/elsewhere"\n}').includes("store_dir"), false);
  assertEquals(settings("# store_dir: /nowhere").includes("store_dir"), true);
});

Deno.test("only a top-level listen of the caller's own replaces host and port", () => {
  assertEquals(settings('listen: "127.0.0.1:4333"').includes("port"), false);
  assertEquals(settings('cluster {\n  listen: "127.0.0.1:6222"\n}').includes("port"), true);
  assertEquals(settings('server_name: "listen: x"\n').includes("port"), true);
});
