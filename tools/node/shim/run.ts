/** Runs one file of tests: `node run.js <file> <names of tests to omit, as JSON>`. @module */

import process from "node:process";
import { pathToFileURL } from "node:url";
import { runTests } from "./test.ts";

const [file, omitted] = process.argv.slice(2);
await import(pathToFileURL(file!).href);
if ("Deno" in globalThis) throw new Error("there is a global `Deno`: the package would not be tested without it");
await runTests(JSON.parse(omitted!));
