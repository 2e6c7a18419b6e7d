// Replicas of both ends of a slot's move: what they serve READONLY clients, and what monitors see at all four nodes.
// Then what lasts: a node that is forgotten or restarted while a slot is open, and a cluster that is down.
import { fileScope } from "../../support/cleanup.ts";
import { bothEnds, CLOSE, OPEN } from "../harness/open-slots.ts";

const scene = bothEnds(fileScope(), { replicas: true });

scene("READONLY clients while the slot is open, and after", async (talk, ends) => {
  await talk.play(`a: mset {b}1 x {b}2 y
  ${OPEN}
  a: migrate 127.0.0.1 $BP {b}1 0 5000`);
  await ends.untilCaughtUp();
  const ask = `
  ra: get {b}1 | get {b}2 | readonly | get {b}1 | get {b}2 | mget {b}1 {b}2 | set {b}2 z | asking | get {b}1 | multi | get {b}1 | get {b}2 | exec
  ra: exists {b}1 {b}2 | watch {b}1 | unwatch | multi | get {b}2 | set {b}2 x | exec | readwrite | get {b}2 | asking | get {b}2
  ra: cluster countkeysinslot 3300 | spublish {b}ch x | migrate 127.0.0.1 $BP {b}2 0 5000 | migrate 127.0.0.1 $BP {b}1 0 5000
  rb: get {b}1 | readonly | get {b}1 | asking | get {b}1 | mget {b}1 {b}2 | asking | mget {b}1 {b}2 | readwrite | get {b}1
  rb: cluster countkeysinslot 3300 | restore-asking {b}1 0 x | asking | set {b}1 x | readonly | asking | exists {b}1 | readwrite`;
  await talk.play(ask);
  await talk.play(`a: migrate 127.0.0.1 $BP {b}2 0 5000 ${CLOSE}`);
  await ends.untilAgreed();
  await ends.untilCaughtUp();
  await talk.play(ask);
});

scene(
  "monitors at both ends and at their replicas",
  async (talk, ends) => {
    await talk.play(`a: mset {b}1 x {b}2 y
  ${OPEN}
  a9: monitor
  b9: monitor
  ra9: monitor
  rb9: monitor
  a: get {b}1 | get {b}9 | migrate 127.0.0.1 $BP {b}1 0 5000 replace auth2 user secret | migrate 127.0.0.1 $BP '' 0 5000 keys {b}2 {b}3
  b: asking | get {b}2 | get {b}2`);
    await ends.untilCaughtUp();
  },
  [{ reason: "the looks of the test itself", leftOut: /^\w+< .*"INFO".*$/g }],
);

scene("the other end is forgotten", async (talk, ends) => {
  await talk.play(`a: set {b}1 x
  ${OPEN}
  a: cluster forget $RB | cluster forget $B | cluster nodes | get {b}1 | get {b}2 | mget {b}1 {b}2 | cluster setslot 3300 node $B
  a: cluster setslot 3300 stable | get {b}2`);
  // Nodes that are forgotten come back when they are met: the ban is lifted by nothing else before its minute is over.
  await ends.link("a").ok("CLUSTER", "MEET", "127.0.0.1", ends.server("b").port);
  await ends.link("a").ok("CLUSTER", "MEET", "127.0.0.1", ends.server("rb").port);
  await ends.untilAgreed();
});

scene(
  "a cluster that is down",
  `
  a: set {b}1 x
  ${OPEN}
  a- cluster delslots 8000
  a: get {b}1 | get {b}2 | set {b}1 x | mget {b}1 {c}1 | multi | get {b}1 | exec | ping | migrate 127.0.0.1 $BP {b}1 0 5000
  a: spublish {b}ch x | watch {b}1 | cluster countkeysinslot 3300 | set x{8000} 1 | blpop {b}l 0 | restore-asking {b}2 0 x
  a- config set cluster-allow-reads-when-down yes
  a: get {b}1 | get {b}2 | set {b}1 y | mget {b}1 {b}2 | multi | get {b}1 | set {b}1 z | exec | migrate 127.0.0.1 $BP {b}1 0 5000 | watch {b}1
  a: sort {b}1 | sort {b}1 store {b}1 | blpop {b}l 0 | getex {b}1 | unwatch
  a- config set cluster-allow-reads-when-down no
  a- cluster addslots 8000
`,
);
