// What nodes of a cluster tell, made comparable with what the nodes of another cluster tell: ids, ports and moments are
// each cluster's own, and nodes are listed in no order.
import { plain, printable, type Reply } from "../../support/resp.ts";

/** A node of the cluster, called by a name both clusters share. */
export interface NamedNode {
  /** None outside of cluster mode. */
  readonly id: string | undefined;
  readonly port: number;
}

/** A reply's bytes as text; the lines of CLUSTER NODES in one order. */
export function comparableText(raw: Uint8Array, nodes: Iterable<readonly [string, NamedNode]>): string {
  const named = nameNodes(printable(raw, 100_000), nodes);
  const text = named
    .replace(/^(\$)\d+(?=\\r\\ncluster_state)/, "$1N") // its length counts digits of numbers
    .replaceAll(/=\d+\\r\\ntxt:/g, "=N\\r\\ntxt:\\n")
    .replaceAll(/ (?:0|TIME) (?:0|TIME) (\d+ (?:dis)?connected)/g, " PING PONG $1")
    .replaceAll(/([$=])\d+\\r\\n(?=[^$]*-port|\$[A-Z]+ [^$]*-port)/g, "$1N\\r\\n");
  return text.includes("connected") ? text.split(/\\n/).toSorted().join("\n") : text;
}

/** As `comparableText` for CLUSTER SLOTS and CLUSTER SHARDS: one line per entry, in one order. */
export function comparableEntries(reply: Reply, nodes: Iterable<readonly [string, NamedNode]>): string {
  const tree = plain(reply.value);
  const entries = Array.isArray(tree) ? tree.map((entry) => JSON.stringify(entry)) : [String(tree)];
  return entries
    .map((entry) => nameNodes(entry, nodes))
    .toSorted()
    .join("\n");
}

function nameNodes(text: string, nodes: Iterable<readonly [string, NamedNode]>): string {
  let named = text;
  for (const [name, { id, port }] of nodes) {
    if (id !== undefined) named = named.replaceAll(id, `$${name.toUpperCase()}`);
    named = named.replaceAll(`${port + 10_000}`, `${name}-bus`).replaceAll(`${port}`, `${name}-port`);
  }
  return named
    .replaceAll(/\+\d+\.\d{6} \[/g, "+TIME [") // what MONITOR shows
    .replaceAll(/ 127\.0\.0\.1:\d+\]/g, " CLIENT]")
    .replaceAll(/\b\d{12,}\b/g, "TIME") // when a PONG came, when a link was made
    .replaceAll(/(send-buffer-[a-z]+\\r\\n):\d+/g, "$1:BYTES") // as the moment has it
    .replaceAll(/(replication-offset(?:\\r\\n:|",))\d+/g, "$1OFFSET") // depends on PINGs in the stream
    .replaceAll(/cluster_stats_messages_[a-z_]+:\d+\\r\\n/g, ""); // a kind that never came is left out
}
