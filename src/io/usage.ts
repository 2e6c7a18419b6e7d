// What the machine has.
import { totalmem } from "node:os";

/** Memory of the machine, bytes. */
export const machineBytes = (): number => totalmem();
