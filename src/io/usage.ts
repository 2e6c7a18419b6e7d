// What the process costs the machine.
import { totalmem } from "node:os";

export interface CpuSeconds {
  readonly user: number;
  readonly system: number;
}

/** Processor time of this process since it started. */
export function cpuSeconds(): CpuSeconds {
  const { user, system } = process.cpuUsage();
  return { user: user / 1e6, system: system / 1e6 };
}

/** Memory of the machine, bytes. */
export const machineBytes = (): number => totalmem();
