/** The machine that was measured on: what matters to the figures, and nothing that tells where it is. @module */

/** The machine. */
export interface Machine {
  /** How many processors. */
  readonly cores: number;
  /** Which. */
  readonly cpu: string;
  /** Memory, in GiB. */
  readonly memoryGiB: number;
  /** The operating system and architecture. */
  readonly os: string;
  /** Deno's version. */
  readonly deno: string;
  /** The NATS server's version. */
  readonly nats: string;
}

/** The machine this runs on. */
export async function machineOf(natsVersion: string): Promise<Machine> {
  return {
    cores: navigator.hardwareConcurrency,
    cpu: await cpuModel(),
    memoryGiB: Math.round(Deno.systemMemoryInfo().total / 2 ** 30),
    os: `${Deno.build.os} ${Deno.build.arch}`,
    deno: Deno.version.deno,
    nats: natsVersion,
  };
}

async function cpuModel(): Promise<string> {
  if (Deno.build.os !== "linux") return "unknown";
  const info = await Deno.readTextFile("/proc/cpuinfo");
  return info.match(/^model name\s*:\s*(.+)$/m)?.[1] ?? "unknown";
}
