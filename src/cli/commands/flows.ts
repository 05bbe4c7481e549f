/**
 * Commands about flows: those that are loaded, those in files, and pictures of both.
 *
 * @module
 */

import { type Command, Option } from "commander";
import type { ExecutionStatus, FlowGraph, Server } from "../../../mod.ts";
import { flowSchema } from "../../flow/schema.ts";
import { isName } from "../../names.ts";
import { action, type Scene } from "../command.ts";
import { CommandError, EXIT, explain } from "../failure.ts";
import { type FlowFile, isFolder, pathsOrDefault, readFlowFiles, shownPlace } from "../flow_files.ts";
import { flowMissing } from "../flow_names.ts";
import { FORMATS, type GraphFormat, graphText } from "../graph/mod.ts";
import { printable, withProgress } from "../output.ts";

/** Adds the commands. */
export function addFlowCommands(program: Command): void {
  const flows = program.command("flows").summary("list the flows that engines have loaded")
    .description("Lists the flows that engines have loaded, and how many executions of each status they have.");
  action(
    flows,
    (scene) => scene.served(async (server) => showFlows(scene, await withProgress("counting", () => server.counts()))),
  );
  const validate = program.command("validate").summary("check flows in files, as for CI")
    .description("Checks flows in files and folders. What is wrong is printed as file:line:column: path: message.")
    .argument("[paths...]", "files, and folders with *.yaml and *.yml files (default: flows/)")
    .option("--kinds <kinds>", "the kinds of invoker there are, with commas between them (default: any)");
  action(validate, (scene, paths: string[], { kinds }: { kinds?: string }) => validateFiles(scene, paths, kinds));
  const graph = program.command("graph").summary("draw a flow")
    .description("Draws a flow: one in a file, or one that an engine has loaded.")
    .argument("<flow>", "a file, or a flow's name")
    .addOption(new Option("--format <format>", "what to print").choices(FORMATS).default("ascii"));
  action(graph, async (scene, flow: string, { format }: { format: GraphFormat }) => {
    const found = await findGraph(scene, flow);
    if (scene.out.isJson) scene.out.json(found);
    else console.log(graphText(found, format).trimEnd());
  });
  const schema = program.command("schema").summary("print the JSON Schema of flows, for editors")
    .description(
      "Prints the JSON Schema of flows in YAML, for editors: # yaml-language-server: $schema=flow.schema.json",
    );
  action(schema, () => Promise.resolve(console.log(JSON.stringify(flowSchema(), null, 2))));
}

function showFlows({ out }: Scene, counts: Record<string, Record<ExecutionStatus, number>>): void {
  if (out.isJson) return out.json(counts);
  const count = (status: ExecutionStatus) => ({
    title: status.toUpperCase(),
    cell: ([, of]: [string, Record<ExecutionStatus, number>]) => String(of[status]),
  });
  out.table(Object.entries(counts), [
    { title: "FLOW", cell: ([name]) => name, style: () => "bold" },
    ...(["running", "waiting", "completed", "failed", "cancelled"] as const).map(count),
  ], "no flows");
}

async function validateFiles({ out }: Scene, paths: readonly string[], kinds: string | undefined): Promise<number> {
  const known = kinds?.split(",").map((kind) => kind.trim()).filter(Boolean);
  const files = await readFlowFiles(pathsOrDefault(paths), known);
  const invalid = files.filter(({ issues }) => issues.length > 0);
  if (out.isJson) {
    out.json(files.map(({ path, flow, issues }) => ({
      file: path,
      ...(flow === undefined ? {} : { flow: flow.definition.name }),
      valid: issues.length === 0,
      issues,
    })));
  } else {
    for (const file of files) showFile(out, file);
    const good = files.length - invalid.length;
    out.say(`${good} valid${invalid.length === 0 ? "" : `, ${invalid.length} not`}`);
  }
  return invalid.length === 0 ? EXIT.ok : EXIT.invalid;
}

function showFile(out: Scene["out"], { path, flow, issues }: FlowFile): void {
  if (flow !== undefined) return out.say(`${path}: ${out.styled("valid", "green")}, ${flow.definition.name}`);
  for (const issue of issues) {
    out.say(`${out.styled(shownPlace(path, issue), "bold")}: ${issue.path}: ${printable(issue.message)}`);
  }
}

/** The graph of a flow in a file, or else of one that an engine has loaded. */
async function findGraph(scene: Scene, flow: string): Promise<FlowGraph> {
  if (await isFolder(flow)) return await folderGraph(scene, flow);
  if (!/[./\\]/.test(flow)) return await scene.served((server) => knownGraph(server, flow));
  const [file] = await readFlowFiles([flow]);
  if (file!.flow !== undefined) return file!.flow.graph;
  const [issue] = file!.issues as [FlowFile["issues"][number]];
  throw new CommandError(
    EXIT.invalid,
    `${shownPlace(file!.path, issue)}: ${issue.path}: ${issue.message}`,
    `\`packtrail validate ${flow}\` tells everything`,
  );
}

/** The graph of a flow that an engine has loaded. @throws {CommandError} Where none has: it says what was meant. */
async function knownGraph(server: Server, flow: string): Promise<FlowGraph> {
  return await server.flowGraph(flow).catch((error) => flowMissing(server, flow, error));
}

/** A flow may have the name of a folder; the folder itself is no flow. */
async function folderGraph(scene: Scene, path: string): Promise<FlowGraph> {
  try {
    if (isName(path)) return await scene.served((server) => server.flowGraph(path));
  } catch (error) {
    // There is no such flow either, or nobody to ask for it.
    if (explain(error) === undefined) throw error;
  }
  throw new CommandError(
    EXIT.usage,
    `${path} is a folder: name the file of a flow`,
    `\`packtrail validate ${path}\` lists them`,
  );
}
