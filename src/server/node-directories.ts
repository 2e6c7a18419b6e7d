// Where the nodes of a cluster that is run from one place keep their files: `node-1`, `node-2` ... in one directory.
import { exists, listDirectory, makeDirectory, readByteText, replaceFile } from "../io/disk.ts";
import { bytesOf, fromUnicode } from "../resp/byte-text.ts";
import { quote } from "./config/words.ts";
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

/**
 * The configuration file of a node, in its directory: it includes the one all nodes share and keeps what CONFIG REWRITE
 * adds, from one start to the next.
 * @param shared absolute path
 * @returns its path. Throws DiskError.
 */
export function makeNodeConfiguration(dir: string, shared: string | undefined): string {
  const path = `${dir}/redis.conf`;
  const isThere = exists(path);
  const before = isThere ? readByteText(path) : "";
  const own = before.startsWith("include ") ? before.slice(before.indexOf("\n") + 1) : before;
  const whole = shared === undefined ? own : `include ${quote(fromUnicode(shared))}\n${own}`;
  if (whole !== before || !isThere) replaceFile(path, bytesOf(whole));
  return path;
}
