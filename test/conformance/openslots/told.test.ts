// Who is told what, at both ends, when keys of an open slot arrive and leave: WATCH, tracking, notifications, and the
// replicas' stream. Keys arrive by RESTORE-ASKING and leave by DEL here, and by MIGRATE, which is both.
import { fileScope } from "../../support/cleanup.ts";
import { listenToStream, type StreamListener } from "../../support/stream-listener.ts";
import type { Ends, NodeName } from "../harness/ends.ts";
import { bothEnds, CLOSE, OPEN } from "../harness/open-slots.ts";
import type { Talk } from "../harness/talk.ts";

const scope = fileScope();
const flags = { "repl-ping-replica-period": 3600 };
const scene = bothEnds(scope, { flags });

/** Far in the future, so that both worlds tell the same time. */
const AT = 4_000_000_000_000;

/** `$name` stands for the payload of a key of the source. */
async function dump(talk: Talk, ends: Ends, name: string, key: string): Promise<void> {
  const { value } = await ends.link("a").reply("DUMP", key);
  if (value.kind !== "bulk") throw new Error(`${key} is not there`);
  talk.set(name, value.bytes);
}

scene("a key that is watched where it is not", async (talk, ends) => {
  await talk.play(`a: set {b}1 x`);
  await dump(talk, ends, "p", "{b}1");
  await talk.play(`
  a2: watch {b}1
  ${OPEN}
  b1: asking | watch {b}1
  b2: asking | watch {b}2
  b: restore-asking {b}1 0 $p
  a: del {b}1
  a2: multi | ping | exec
  b1: asking | multi | get {b}1 | exec
  b2: asking | multi | get {b}1 | exec
  b3: asking | watch {b}1
  b: restore-asking {b}1 0 $p replace
  b3: multi | ping | exec
  b4: asking | watch {b}1
  ${CLOSE}
  b4: multi | ping | exec`);
});

scene("a key that is watched moves with MIGRATE", async (talk) => {
  await talk.play(`
  a: set {b}1 x | set {b}2 y
  a2: watch {b}1
  a3: watch {b}2
  a4: watch {b}1
  ${OPEN}
  b1: asking | watch {b}1
  a: migrate 127.0.0.1 $BP {b}1 0 5000
  a2: multi | get {b}1 | exec
  a3: multi | get {b}2 | exec
  a4: multi | ping | exec
  b1: multi | ping | exec
  a4: multi | get {b}1 | exec | ping
  a5: watch {b}1 | watch {b}2
  a: migrate 127.0.0.1 $BP '' 0 5000 keys {b}1 {b}2
  a5: multi | ping | exec`);
});

scene("tracking at both ends", async (talk, ends) => {
  await talk.play(`
  a- hello 3
  b- hello 3
  a2- hello 3
  b2- hello 3
  b3- hello 3
  a: mset {b}1 x {b}2 y {b}3 z
  a2: client tracking on | mget {b}1 {b}2
  b2: client tracking on | asking | get {b}1
  b3: client tracking on bcast`);
  await dump(talk, ends, "p", "{b}1");
  await talk.play(`${OPEN}
  b2: asking | get {b}1
  b: restore-asking {b}1 0 $p
  b2? 1
  b3? 1
  a: del {b}1
  a2? 1
  a2: get {b}1 | get {b}2
  a: migrate 127.0.0.1 $BP '' 0 5000 keys {b}2 {b}3
  a2? 1
  b3? 1
  b2: asking | get {b}2
  ${CLOSE}
  b2: get {b}2
  b: set {b}2 new
  b2? 1`);
});

scene("notifications at both ends", async (talk, ends) => {
  await talk.play(`
  a: config set notify-keyspace-events KEA
  b: config set notify-keyspace-events KEA
  a: mset {b}1 x {b}2 y {b}3 z | pexpireat {b}3 ${AT}
  a2: psubscribe __key*
  b2: psubscribe __key*`);
  await dump(talk, ends, "p", "{b}1");
  await talk.play(`${OPEN}
  b: restore-asking {b}1 0 $p | restore-asking {b}1 0 $p | restore-asking {b}1 0 $p replace | restore-asking {b}1 1 $p absttl replace
  a: del {b}1
  a: migrate 127.0.0.1 $BP '' 0 5000 keys {b}2 {b}3
  b: asking | get {b}2 | asking | get {b}9
  ${CLOSE}
  b: get {b}9
  a: config set notify-keyspace-events ''
  b: config set notify-keyspace-events ''`);
});

async function listenToBoth(ends: Ends): Promise<Readonly<Record<"a" | "b", StreamListener>>> {
  const listen = (name: NodeName, key: string): Promise<StreamListener> =>
    listenToStream(scope, ends.server(name), key);
  return { a: await listen("a", "{c}mark"), b: await listen("b", "{a}mark") };
}

/** What the replicas of both were told; moments that are near are each world's own. */
async function noteStreams(talk: Talk, { a, b }: Awaited<ReturnType<typeof listenToBoth>>): Promise<void> {
  for (const [name, stream] of [
    ["a", a],
    ["b", b],
  ] as const) {
    const told = (await stream.next()).replaceAll(/\b1\d{12}\b/g, "TIME");
    talk.note(`replicas of ${name}: ${JSON.stringify(told)}`);
  }
}

scene("the replicas' streams of both ends", async (talk, ends) => {
  await talk.play(`a: mset {b}1 x {b}2 y {b}3 z {b}4 w | pexpireat {b}3 ${AT} | rpush {b}l a b c`);
  await dump(talk, ends, "p", "{b}1");
  const streams = await listenToBoth(ends);
  const hear = (): Promise<void> => noteStreams(talk, streams);
  await talk.play(OPEN);
  await hear();
  await talk.play(
    `b: restore-asking {b}1 0 $p | restore-asking {b}1 0 $p | restore-asking {b}1 ${AT} $p absttl replace`,
  );
  await hear();
  await talk.play(`b: restore-asking {b}0 1 $p absttl | asking | set {b}5 x | asking | exists {b}0`);
  await hear();
  await talk.play(`a: del {b}1 {b}9`);
  await hear();
  await talk.play(`a: migrate 127.0.0.1 $BP '' 0 5000 keys {b}2 {b}9 {b}l`);
  await hear();
  await talk.play(
    `a: migrate 127.0.0.1 $BP {b}4 0 5000 copy | migrate 127.0.0.1 $BP {b}4 0 5000 | migrate 127.0.0.1 $BP {b}4 0 5000 replace`,
  );
  await hear();
  await talk.play(`a- del {b}1
  a- del {b}3
  ${CLOSE}`);
  await hear();
});

scene("keys that expire while the slot is open", async (talk, ends) => {
  await talk.play(`
  a: debug set-active-expire 0 | mset {b}1 x {b}2 y {b}3 z
  b: debug set-active-expire 0
  ${OPEN}
  a: pexpire {b}1 1 | pexpire {b}2 1 | debug sleep 0.01`);
  const streams = await listenToBoth(ends);
  const hear = (): Promise<void> => noteStreams(talk, streams);
  await talk.play(`
  a: dbsize | cluster countkeysinslot 3300 | watch {b}1 | exists {b}1 | get {b}1 | unwatch | cluster countkeysinslot 3300 | mget {b}2 {b}3`);
  await hear();
  await talk.play(`
  a: pexpire {b}3 1 | debug sleep 0.01 | cluster countkeysinslot 3300 | set {b}3 again | mget {b}1 {b}3`);
  await hear();
  await talk.play(`
  a: set {b}4 x px 1 | set {b}3 x px 1 | debug sleep 0.01 | migrate 127.0.0.1 $BP '' 0 5000 keys {b}3 {b}4 | migrate 127.0.0.1 $BP {b}3 0 5000
  a: cluster countkeysinslot 3300 | cluster setslot 3300 node $B`);
  await hear();
  await talk.play(`
  b: asking | set {b}6 x px 1 | debug sleep 0.01 | asking | get {b}6 | asking | mset {b}7 x {b}8 y | asking | pexpire {b}7 1
  b: debug sleep 0.01 | asking | mget {b}7 {b}8 | asking | get {b}7 | cluster countkeysinslot 3300`);
  await hear();
  await talk.play(`
  a: watch {c}1 | set {c}2 x px 1 | debug sleep 0.01 | watch {c}2 | multi | ping | exec | dbsize | unwatch
  a: debug set-active-expire 1
  b: debug set-active-expire 1`);
  await hear();
});
