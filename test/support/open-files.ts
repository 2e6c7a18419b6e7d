// Which files this process has open, as the system sees it.
import { readdirSync, readlinkSync } from "node:fs";

/** Files of a directory that are open here, those without a name any more included. */
export function filesOpenIn(directory: string): number {
  const targets = readdirSync("/proc/self/fd").map((file) => {
    try {
      return readlinkSync(`/proc/self/fd/${file}`);
    } catch {
      return ""; // it was closed meanwhile
    }
  });
  return targets.filter((target) => target.startsWith(`${directory}/`)).length;
}
