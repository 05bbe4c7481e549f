/**
 * Checks the YAML in the documents. A block is
 *
 * - ` ```yaml `: a flow, and valid;
 * - ` ```yaml refused `: a flow that is not valid; the ` ```text ` block after it is what is said of it, line by line,
 *   and `kinds=http,agent` after the mark are the kinds of invoker there are;
 * - ` ```yaml fragment `, or another of {@linkcode OTHER_MARKS}: something else, but YAML.
 *
 * @module
 */

import { parseAllDocuments } from "yaml";
import { ValidationError } from "../../src/errors.ts";
import { parseFlow } from "../../src/flow/mod.ts";
import { withoutEnvironment } from "../../src/flow/without_environment.ts";
import type { Document } from "./documents.ts";
import type { CodeBlock } from "./markdown.ts";

/** What a block of YAML may be that is no flow. */
export const OTHER_MARKS: readonly string[] = ["fragment", "kubernetes", "compose", "workflow", "prometheus"];

/** How many flows there are, and what is wrong. */
export interface YamlReport {
  /** Valid flows. */
  flows: number;
  /** Flows that are refused with the words that follow them. */
  refused: number;
  /** What is wrong: `docs/flows.md:12: …`. */
  faults: string[];
}

/** Checks every block of YAML. */
export function checkYaml(documents: readonly Document[]): YamlReport {
  const report: YamlReport = { flows: 0, refused: 0, faults: [] };
  for (const { path, blocks } of documents) {
    for (const [index, block] of blocks.entries()) {
      if (block.language !== "yaml" && block.language !== "yml") continue;
      const fault = checkBlock(block, blocks[index + 1], report);
      if (fault !== undefined) report.faults.push(`${path}:${block.line}: ${fault}`);
    }
  }
  return report;
}

function checkBlock(block: CodeBlock, next: CodeBlock | undefined, report: YamlReport): string | undefined {
  const [mark, option] = block.marks;
  if (mark === undefined) {
    const said = saidOf(block.text);
    if (said.length > 0) return `the flow is not valid:\n  ${said.join("\n  ")}`;
    report.flows++;
    return undefined;
  }
  if (mark === "refused") {
    report.refused++;
    return checkRefused(block.text, next, option);
  }
  if (!OTHER_MARKS.includes(mark)) {
    return `"yaml ${mark}" is not known; there are refused, ${OTHER_MARKS.join(", ")}, or a flow without a mark`;
  }
  const documents = withoutEnvironment(() => parseAllDocuments(block.text));
  const errors = documents.flatMap((document) => document.errors);
  return errors.length === 0 ? undefined : `is not YAML: ${errors[0]!.message}`;
}

function checkRefused(text: string, next: CodeBlock | undefined, option: string | undefined): string | undefined {
  const kinds = option?.startsWith("kinds=") ? option.slice("kinds=".length).split(",") : undefined;
  const said = saidOf(text, kinds);
  if (said.length === 0) return "the flow is said to be refused, and is valid";
  if (next?.language !== "text") return "is not followed by a text block with what is said of it";
  const written = next.text.trimEnd().split("\n");
  if (JSON.stringify(written) === JSON.stringify(said)) return undefined;
  return `another thing is said of the flow than is written:\n  ${said.join("\n  ")}`;
}

/** What `packtrail validate` says of a flow; nothing where it is valid. */
function saidOf(text: string, kinds?: readonly string[]): string[] {
  try {
    parseFlow(text, { file: "flow.yaml", ...(kinds === undefined ? {} : { kinds: new Set(kinds) }) });
    return [];
  } catch (error) {
    if (!(error instanceof ValidationError)) throw error;
    return error.issues.map(({ path, line, column, message }) =>
      `${["flow.yaml", line, column].filter((part) => part !== undefined).join(":")}: ${path}: ${message}`
    );
  }
}
