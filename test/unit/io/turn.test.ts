// What is gathered during a turn of the event loop, and in which order it is written.
import { expect, test } from "bun:test";
import { type Outlet, Turn } from "../../../src/io/turn.ts";

const endOfTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

class Peer implements Outlet {
  readonly written: string[] = [];
  write(bytes: Uint8Array, from: number, to: number): void {
    this.written.push(Buffer.from(bytes.subarray(from, to)).toString());
  }
}

function send(turn: Turn, peer: Peer, text: string): void {
  const bytes = Buffer.from(`<<${text}>>`);
  const [from, to] = [2, bytes.length - 2];
  if (!turn.take(peer, bytes, from, to)) peer.write(bytes, from, to);
}

test("nothing is written before the end of the turn, and what one peer is sent in a row goes in one write", async () => {
  const turn = new Turn();
  const [a, b] = [new Peer(), new Peer()];
  send(turn, a, "1");
  send(turn, a, "2");
  send(turn, b, "x");
  send(turn, a, "3");
  expect([a.written, b.written]).toEqual([[], []]);
  await endOfTurn();
  expect([a.written, b.written]).toEqual([["12", "3"], ["x"]]);
  send(turn, b, "y");
  send(turn, a, "4");
  await endOfTurn();
  expect([a.written, b.written]).toEqual([
    ["12", "3", "4"],
    ["x", "y"],
  ]);
});

test("bytes may be reused at once", async () => {
  const turn = new Turn();
  const peer = new Peer();
  const bytes = Buffer.from("first");
  turn.take(peer, bytes, 0, bytes.length);
  bytes.write("spoil");
  await endOfTurn();
  expect(peer.written).toEqual(["first"]);
});

test("a long run, and more than there is room for, stay in order", async () => {
  const turn = new Turn();
  const [a, b] = [new Peer(), new Peer()];
  const long = "l".repeat(20_000);
  send(turn, a, "before");
  send(turn, a, long);
  send(turn, a, "behind");
  expect(a.written).toEqual(["before", long]);
  const part = "p".repeat(16_000);
  for (let i = 0; i < 40; i++) send(turn, b, part);
  await endOfTurn();
  expect(a.written).toEqual(["before", long, "behind"]);
  expect(b.written.join("")).toBe(part.repeat(40));
});

test("flush writes what there is, once", async () => {
  const turn = new Turn();
  const peer = new Peer();
  send(turn, peer, "now");
  turn.flush();
  expect(peer.written).toEqual(["now"]);
  await endOfTurn();
  expect(peer.written).toEqual(["now"]);
});

test("a peer that talks alone does not wait, until another one talks too", async () => {
  const turn = new Turn();
  const [a, b] = [new Peer(), new Peer()];
  send(turn, a, "0");
  await endOfTurn();
  send(turn, a, "1");
  expect(a.written).toEqual(["0", "1"]);
  // Sooner or later a turn is gathered again; from the first that two share on, all are.
  for (let i = 0; i < 100; i++) {
    send(turn, a, "a");
    send(turn, b, "b");
    await endOfTurn();
  }
  a.written.length = 0;
  send(turn, a, "last");
  expect(a.written).toEqual([]);
  await endOfTurn();
  expect(a.written).toEqual(["last"]);
});
