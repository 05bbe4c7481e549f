import { join } from "node:path";

/** Where a server listens and keeps its files; `extra` is the caller's text, which has the last word. */
export interface ConfigValues {
  /** The port for clients. */
  port: number;
  /** The server's own temporary folder: configuration, log, ports. */
  folder: string;
  /** Where JetStream keeps its streams. */
  storeDir: string;
  /** Text added to the configuration; what it sets wins. */
  extra: string;
}

/**
 * The text of a server's configuration. The last of two top-level settings of one name wins in a NATS configuration;
 * only the two that clash with another name, or may stand once, are left out where the caller's text has them.
 */
export function configText({ port, folder, storeDir, extra }: ConfigValues): string {
  const lines = [`ports_file_dir: ${quote(folder)}`, `jetstream: enabled`];
  if (!topLevelKeys(extra).has("listen")) lines.push(`host: "127.0.0.1"`, `port: ${port}`);
  if (!/\b(store_dir|storedir|store)\b\s*[:=\s]/i.test(withoutComments(extra))) {
    lines.push(`store_dir: ${quote(storeDir)}`);
  }
  return `${lines.join("\n")}\n${extra}\n`;
}

/** The log file in a server's temporary folder. */
export function logFile(folder: string): string {
  return join(folder, "server.log");
}

function quote(path: string): string {
  return JSON.stringify(path);
}

function withoutComments(text: string): string {
  return text.replaceAll(/"[^"\n]*"|'[^'\n]*'|(?:^|\s)(?:#|\/\/).*$/gm, (part) => /^["']/.test(part) ? part : "");
}

/** The names that a configuration sets outside any block, in lower case. */
function topLevelKeys(text: string): Set<string> {
  const keys = new Set<string>();
  let depth = 0;
  const bare = withoutComments(text).replaceAll(/"[^"\n]*"|'[^'\n]*'/g, '""');
  for (const [token] of bare.matchAll(/[{}[\]]|^\s*[A-Za-z_]+(?=\s*[:={\s])/gm)) {
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 0) keys.add(token.trim().toLowerCase());
  }
  return keys;
}
