/** What of the tests says nothing about the package on another runtime, and why. @module */

/** Files of tests that are left out, and why. */
export const FILES: Readonly<Record<string, string>> = {
  "tests/examples_test.ts": "runs the examples, `deno info`, `deno publish` and `deno compile`",
  "tests/compiled_worker_test.ts": "is about `deno compile`",
  "tests/node_test.ts": "is this",
  "tests/readme_test.ts": "is about the documents, and runs what they say with Deno",
  "tests/docs_test.ts": "is about the documents",
  "tests/docs_reference_test.ts": "is about the documents",
  "tests/docs_project_test.ts": "is about the documents, and runs what they say with Deno",
  "tests/quick_start_test.ts": "is about the documents, and runs what they say with Deno",
  "tests/operations_test.ts": "is about the documents",
  "tests/recipes_test.ts": "is about the documents, and runs what they say with Deno",
  "tools/check_docs_test.ts": "is about the documents, and compiles what they say with Deno",
  "tests/ui_browser_test.ts": "drives a browser with a program of Deno's; tests/ui_test.ts is run",
};

/** Tests that are left out, by file, and why. */
export const TESTS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  "src/flow/without_environment_test.ts": {
    "a flow is read without permission to read the environment": "Node has no such permission",
  },
  "src/invoker/http_test.ts": {
    "a service that cannot be reached means retry, one that the runtime forbids fails the node":
      "Node forbids nothing; other tests of the file have services that fail",
  },
  "tools/nats_test.ts": {
    "a server ends when the process that started it is killed": "starts that process with `deno eval`",
  },
};
