// ACL categories of a row: its group's, those its flags imply, and the few a row adds or drops itself.
import type { AclCategory, Command, Group } from "./row.ts";
import { aclCategories } from "./row.ts";
import type { Row } from "./table.ts";

/** Commands of the groups left out belong to no category by their group. */
const ofGroup: Partial<Record<Group, AclCategory>> = {
  bitmap: "bitmap",
  connection: "connection",
  generic: "keyspace",
  geo: "geo",
  hash: "hash",
  hyperloglog: "hyperloglog",
  list: "list",
  pubsub: "pubsub",
  scripting: "scripting",
  set: "set",
  "sorted-set": "sortedset",
  stream: "stream",
  string: "string",
  transactions: "transaction",
};

/** In the order COMMAND INFO prints them, without `@`. */
export function categoriesOf({ command, group }: Row): readonly AclCategory[] {
  const implied = new Set<AclCategory>(flagCategories(command, group));
  const groupCategory = ofGroup[group];
  // A container does nothing itself: only its subcommands are of the group's category.
  if (groupCategory !== undefined && command.subcommands === undefined) implied.add(groupCategory);
  for (const category of command.categories ?? []) {
    if (category.startsWith("-")) implied.delete(category.slice(1) as AclCategory);
    else implied.add(category as AclCategory);
  }
  return aclCategories.filter((category) => implied.has(category));
}

function flagCategories({ flags }: Command, group: Group): AclCategory[] {
  const categories: AclCategory[] = [flags.includes("fast") ? "fast" : "slow"];
  if (flags.includes("write")) categories.push("write");
  // What a script reads is decided by the commands it calls.
  if (flags.includes("readonly") && group !== "scripting") categories.push("read");
  if (flags.includes("admin")) categories.push("admin", "dangerous");
  if (flags.includes("pubsub")) categories.push("pubsub");
  if (flags.includes("blocking")) categories.push("blocking");
  return categories;
}
