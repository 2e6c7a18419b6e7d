// `maxclients` and what the system allows: each client takes an open file, and so do the node's own files, the links of
// the bus and the port itself. A node that let clients take them all could not save what it must.
import { allowOpenFiles } from "../io/open-files.ts";
import { openSockets } from "../io/sockets.ts";
import type { Config } from "./config/config.ts";
import { ConfigError } from "./config/kinds.ts";
import type { Log } from "./log.ts";
import { StartError } from "./start-error.ts";

/** Open files kept from clients (CONFIG_MIN_RESERVED_FDS). */
const RESERVED_FILES = 32;
/** Of those, the ones that no socket may have, whosever it is. */
const SPARE_FILES = 24;

/**
 * Lowers `maxclients` to what the limit of open files leaves, and refuses a CONFIG SET beyond it.
 * Throws StartError when the limit leaves none.
 */
export function limitClients(config: Config, log: Log): void {
  let limit = config.number("maxclients");
  const wanted = limit + RESERVED_FILES;
  const files = allow(wanted);
  if (files.now < wanted) {
    if (files.now <= RESERVED_FILES) {
      throw new StartError(
        `'ulimit -n' is ${files.now}, too few open files for a server to start: raise it to at least ${wanted}`,
      );
    }
    limit = files.now - RESERVED_FILES;
    log.write(
      "warning",
      `maxclients ${wanted - RESERVED_FILES} needs at least ${wanted} open files, and the system allows ` +
        `${files.now}: maxclients has been reduced to ${limit}. If you need more, increase 'ulimit -n'.`,
    );
    config.record("maxclients", [String(limit)]);
  } else if (files.now > files.before) {
    log.write("notice", `Increased the limit of open files from ${files.before} to ${files.now}`);
  }
  config.onChange("maxclients", (count) => {
    if (count > limit) {
      const { now } = allow(count + RESERVED_FILES);
      const possible = now - RESERVED_FILES;
      if (count > possible) {
        throw new ConfigError(
          `The operating system is not able to handle the specified number of clients, try with ${possible}`,
        );
      }
    }
    limit = count;
  });
}

/** As allowOpenFiles, and the sockets of this process heed it. */
function allow(wanted: number): { readonly before: number; readonly now: number } {
  const files = allowOpenFiles(wanted);
  if (files === undefined) return { before: wanted, now: wanted };
  openSockets.limit = files.now - SPARE_FILES;
  return files;
}
