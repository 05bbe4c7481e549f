/** Which Deno runs the tests: the oldest that can is older than some commands that are tested. @module */

/** Whether the Deno that runs is older than a version. */
export function isOlder(version: string): boolean {
  const [actual, wanted] = [Deno.version.deno, version].map((text) => text.split(/[.-]/).slice(0, 3).map(Number));
  for (const [index, part] of wanted!.entries()) if (actual![index] !== part) return actual![index]! < part;
  return false;
}
