// All families of the command table. No other file lists them.
import { clusterFamily } from "./cluster.ts";
import { commandFamily } from "./command.ts";
import { dumpFamily, migrationFamily } from "./dump.ts";
import type { Family } from "./family.ts";
import { functionFamily } from "./functions.ts";
import { databases, generic } from "./generic.ts";
import { hashes } from "./hash.ts";
import { lists } from "./list.ts";
import { migrateFamily } from "./migrate.ts";
import { replicationFamily, waitFamily } from "./replication.ts";
import { connectionFamily } from "./connection.ts";
import { pubsubFamily } from "./pubsub.ts";
import { serverFamily } from "./server.ts";
import { sortedSets } from "./sortedset.ts";
import { sets } from "./set.ts";
import { sorting } from "./sort.ts";
import { blockingLists } from "./list-blocking.ts";
import { blockingSortedSets } from "./sortedset-blocking.ts";
import { strings } from "./string.ts";
import { CommandTable } from "./table.ts";
import { transactionsFamily } from "./transactions.ts";

export const families: readonly Family[] = [
  strings,
  hashes,
  lists,
  sortedSets,
  sets,
  generic,
  sorting,
  databases,
  clusterFamily,
  commandFamily,
  dumpFamily,
  migrationFamily,
  migrateFamily,
  replicationFamily,
  waitFamily,
  connectionFamily,
  pubsubFamily,
  serverFamily,
  transactionsFamily,
  functionFamily,
  blockingLists,
  blockingSortedSets,
];

/** The table of a server; made once, it never changes. */
export const commandTable = new CommandTable(families);
