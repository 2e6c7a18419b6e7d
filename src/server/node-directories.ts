// Where the nodes of a cluster that is run from one place keep their files: `node-1`, `node-2` ... in one directory.
import { listDirectory, makeDirectory } from "../io/disk.ts";
import { StartError } from "./start-error.ts";

/**
 * The directories of `count` nodes, made if they are not there.
 * Throws StartError when the directory keeps a cluster of another size, DiskError when it cannot be used.
 */
export function makeNodeDirectories(dir: string, count: number): readonly string[] {
  const found = listDirectory(dir).filter((name) => /^node-\d+$/.test(name)).length;
  if (found > 0 && found !== count) {
    throw new StartError(`${dir} keeps a cluster of ${found} nodes, and ${count} are asked for`);
  }
  const dirs = Array.from({ length: count }, (_, i) => `${dir}/node-${i + 1}`);
  for (const each of dirs) makeDirectory(each);
  return dirs;
}
