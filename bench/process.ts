/** What the operating system says of a process. Linux only; `undefined` elsewhere. @module */

const TICKS_PER_SECOND = 100;

/** The processor time that a process has used, in seconds. */
export async function cpuSeconds(pid: number): Promise<number | undefined> {
  const stat = await read(`/proc/${pid}/stat`);
  // The name of the program, in parentheses, may have blanks.
  const fields = stat?.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields === undefined ? undefined : (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The memory that a process holds, in MiB: now, or at the most since it started. */
export async function memoryMiB(pid: number, when: "now" | "peak"): Promise<number | undefined> {
  const field = when === "now" ? "VmRSS" : "VmHWM";
  const kibibytes = (await read(`/proc/${pid}/status`))?.match(new RegExp(`^${field}:\\s+(\\d+) kB`, "m"))?.[1];
  return kibibytes === undefined ? undefined : Number(kibibytes) / 1_024;
}

async function read(path: string): Promise<string | undefined> {
  if (Deno.build.os !== "linux") return undefined;
  return await Deno.readTextFile(path);
}
