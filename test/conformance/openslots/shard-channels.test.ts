// Sharded channels of a slot that moves: who may subscribe and publish at either end, and who is told to leave.
import { fileScope } from "../../support/cleanup.ts";
import { bothEnds } from "../harness/open-slots.ts";

const scene = bothEnds(fileScope());

scene(
  "subscribing and publishing while the slot is open",
  `
  a1: ssubscribe {b}ch {b}ch2
  a- cluster setslot 3300 stable
  b- cluster setslot 3300 importing $A
  a- cluster setslot 3300 migrating $B
  a: spublish {b}ch one | spublish {b}other two | spublish {c}ch x
  a1? 1
  a2: ssubscribe {b}ch
  a: spublish {b}ch three | pubsub shardchannels *ch2 | pubsub shardnumsub {b}ch {b}ch2
  a1? 1
  a2? 1
  b: spublish {b}ch four | asking | spublish {b}ch five | ssubscribe {b}ch | pubsub shardchannels
  b1: asking
  b1: ssubscribe {b}ch
  b: asking | spublish {b}ch six | spublish {b}ch seven
  b1? 1
  a: set {b}1 x | multi | spublish {b}ch eight | exec | multi | get {b}1 | spublish {b}ch nine | exec
  a: ssubscribe {b}ch {c}ch | spublish {b}ch
  a2: sunsubscribe {b}nosuch
  a2: sunsubscribe {b}ch
`,
);

scene(
  "the slot leaves",
  `
  a1: ssubscribe {b}ch
  a2: ssubscribe {b}ch2
  a2: ssubscribe {b}ch
  b- cluster setslot 3300 importing $A
  a- cluster setslot 3300 migrating $B
  b1: asking
  b1: ssubscribe {b}ch
  b- cluster setslot 3300 node $B
  a- cluster setslot 3300 node $B
  a1? 1
  a2? 2
  a1: ping
  a: pubsub shardchannels | spublish {b}ch x | ssubscribe {b}ch
  b: spublish {b}ch x | pubsub shardchannels
  b1? 1
`,
);

scene(
  "the slot is dropped by the source",
  `
  a1: ssubscribe {b}ch
  a- cluster delslots 3300
  a1? 1
  a: pubsub shardchannels | spublish {b}ch x
  a- cluster addslots 3300
  a: pubsub shardchannels | spublish {b}ch x
  a1: ping
`,
);

const TOLD_TO_LEAVE = {
  reason:
    "a subscriber at the target is told to leave when the import is given up: redis-server keeps it, and it hears nothing",
  leftOut: /^b1< .*sunsubscribe.*$|^b1< .*the end of b1.*$|^b< \*.*$/g,
};

scene(
  "the import is given up by the target",
  `
  b- cluster setslot 3300 importing $A
  b1: asking
  b1: ssubscribe {b}ch
  b- cluster setslot 3300 stable
  b: pubsub shardchannels | spublish {b}ch x
`,
  [TOLD_TO_LEAVE],
);
