// Clients that wait for keys of a slot while it is opened, moved, closed or dropped, at either end.
import { fileScope } from "../../support/cleanup.ts";
import { bothEnds, CLOSE, OPEN } from "../harness/open-slots.ts";
import type { Talk } from "../harness/talk.ts";

const scene = bothEnds(fileScope());

const WAITING = `
  a1! blpop {b}l 0
  a2! blmove {b}l {b}m left right 0
  a3! bzpopmin {b}z {b}y 0
  a4! brpoplpush {b}l {b}l 0
  a5! blmpop 0 2 {b}l {b}m left
  a6! bzmpop 0 1 {b}z min`;

const REFUSED = ["a1", "a2", "a3", "a4", "a5", "a6"].map((name) => `${name}? 1`).join("\n");

scene(
  "waiting at the source when the slot is closed",
  `
  ${WAITING}
  ${OPEN}
  ${CLOSE}
  ${REFUSED}
  a1: get {b}1 | blpop {b}l 0
  b: info nosuch
`,
);

scene("the slot is opened and a push comes to where the waiting are", async (talk: Talk) => {
  await talk.play(`${WAITING} ${OPEN}
  a: rpush {b}l 1 | lpush {b}l 1 | zadd {b}z 1 m
  a: set {b}1 x | multi | rpush {b}l 1 | exec`);
  await talk.waiting("a", 6);
  await talk.play(CLOSE);
  await talk.waiting("a", 0);
  await talk.play(REFUSED);
});

scene("waiting is refused at the source of an open slot where keys are missing", async (talk: Talk) => {
  await talk.play(`
  a: rpush {b}full x y z
  ${OPEN}
  a: blpop {b}l 0 | blpop {b}l {b}full 0 | blpop {b}full 0 | blpop {b}full {b}full 0 | blmove {b}full {b}l left right 0
  a: bzpopmin {b}z 0 | brpoplpush {b}l {b}l 0 | blmpop 0 1 {b}full left | blmpop 0 2 {b}full {b}l left | blpop {b}l -1 | blpop {b}l x
  b: blpop {b}l 0 | brpoplpush {b}l {b}m 0 | blpop {b}l {c}l 0`);
});

scene("waiting at the target after ASKING, and the key arrives there", async (talk: Talk, ends) => {
  await talk.play(`a: rpush {b}l moved`);
  const payload = await ends.link("a").reply("DUMP", "{b}l");
  if (payload.value.kind !== "bulk") throw new Error("no payload");
  talk.set("payload", payload.value.bytes);
  await talk.play(`${OPEN}
  b- asking
  b1- asking
  b1! blpop {b}l 0
  b2: asking | blpop {b}l {b}m 0
  b3- asking
  b3! blmove {b}m {b}m left right 0
  b: restore-asking {b}l 0 $payload
  b1? 1
  b1: ping | get {b}1
  a: del {b}l`);
  await talk.waiting("b", 1);
  await talk.play(`${CLOSE}
  b: rpush {b}m x
  b3? 1
  b: lrange {b}m 0 -1`);
});

scene("waiting at the target, and the import is given up", async (talk: Talk) => {
  await talk.play(`${OPEN}
  b1- asking
  b1! blpop {b}l 0
  b: cluster setslot 3300 stable
  b1? 1
  b1: ping`);
});

scene("waiting at the source, and the slot is dropped", async (talk: Talk) => {
  await talk.play(`
  a1! blpop {b}l 0
  a2! blpop {c}l {c}m 0
  a: cluster delslots 3300
  a1? 1
  a- cluster addslots 3300`);
  await talk.waiting("a", 0).catch(() => talk.note("somebody waits on"));
});

scene("waiting at the source with a time-out while the slot is open", async (talk: Talk) => {
  await talk.play(`
  a1! blpop {b}l 0.3
  ${OPEN}
  a1? 1
  a1: blpop {b}l 0.01`);
});

scene("a waiting client is let go by CLIENT UNBLOCK in an open slot", async (talk: Talk, ends) => {
  const client = await talk.client("a1");
  talk.set("waiting", String(await client.ask("CLIENT", "ID")));
  await talk.play(`
  a1! blpop {b}l 0
  ${OPEN}
  a: client unblock $waiting error
  a1? 1
  a1: blpop {b}l 0`);
  await ends.untilAgreed();
});

scene("a transaction does not wait, and the key is elsewhere", async (talk: Talk) => {
  await talk.play(`
  a: rpush {b}full x
  ${OPEN}
  a: multi | blpop {b}full 0 | exec | multi | blpop {b}full 0 | exec
  b: asking | multi | blpop {b}l 0 | exec | asking | blpop {b}l 0.01
  b: asking | multi | rpush {b}l 1 | blpop {b}l 0 | blpop {b}l 0 | exec`);
});
