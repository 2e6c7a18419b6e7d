// How a connection hands on what its socket delivers: in order, in pieces, and not all at once when that takes long.
import { expect, test } from "bun:test";
import { Connection } from "../../../src/io/sockets.ts";
import { eventually } from "../../support/eventually.ts";

/** A socket that notes what is asked of it. */
function fakeSocket(): { raw: ConstructorParameters<typeof Connection>[0]; asked: string[] } {
  const asked: string[] = [];
  const note =
    (what: string): (() => void) =>
    () =>
      void asked.push(what);
  const raw = {
    remoteAddress: "127.0.0.1",
    localAddress: "127.0.0.1",
    localPort: 1,
    write: (_: Uint8Array, from: number, length: number) => (asked.push(`write ${from}`), length),
    pause: note("pause"),
    resume: note("resume"),
    end: note("end"),
    shutdown: note("shutdown"),
  };
  return { raw: raw as unknown as ConstructorParameters<typeof Connection>[0], asked };
}

function spendMs(ms: number): void {
  for (const endMs = performance.now() + ms; performance.now() < endMs;);
}

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * 31) & 255);

interface Heard {
  readonly connection: Connection;
  readonly asked: readonly string[];
  readonly all: () => Buffer;
  readonly isClosed: () => boolean;
}

/** @param ms what each piece takes */
function hear(ms: number, received?: (connection: Connection) => void): Heard {
  const { raw, asked } = fakeSocket();
  const connection = new Connection(raw);
  const pieces: Uint8Array[] = [];
  let isClosed = false;
  connection.user = {
    received: (piece) => {
      pieces.push(piece);
      spendMs(ms);
      received?.(connection);
    },
    closed: () => (isClosed = true),
  };
  return { connection, asked, all: () => Buffer.concat(pieces), isClosed: () => isClosed };
}

test("a little is handed on at once, and more in order", async () => {
  const { connection, all } = hear(0);
  connection.wasReceived(bytes.subarray(0, 100));
  expect(all().length).toBe(100);
  connection.wasReceived(bytes.subarray(100));
  await eventually(() => all().length === bytes.length, 10_000, "all has been handed on");
  expect(all().equals(bytes)).toBe(true);
});

test("what takes long waits for the next turns, and so does all that comes behind it", async () => {
  const { connection, asked, all } = hear(2);
  connection.wasReceived(bytes.subarray(0, 150_000));
  expect(all().length).toBeLessThan(150_000);
  connection.wasReceived(bytes.subarray(150_000, 150_010));
  connection.wasReceived(bytes.subarray(150_010));
  expect(asked).toEqual(["pause"]);
  await eventually(() => asked.includes("resume"), 10_000, "all has been handed on");
  expect(all().equals(bytes)).toBe(true);
  expect(asked).toEqual(["pause", "resume"]);
});

test("the peer's end comes behind what it sent", async () => {
  const { connection, all, isClosed } = hear(2);
  connection.wasReceived(bytes);
  connection.wasEnded();
  expect(isClosed()).toBe(false);
  await eventually(isClosed, 10_000, "it is closed");
  expect(all().equals(bytes)).toBe(true);
});

test("nothing more is handed on once its user has closed it, or the peer is gone", async () => {
  const own = hear(2, (connection) => connection.close());
  own.connection.wasReceived(bytes);
  const gone = hear(2);
  gone.connection.wasReceived(bytes);
  gone.connection.wasClosed();
  const lengths = [own.all().length, gone.all().length];
  expect(lengths[0]).toBe(16_384);
  expect(lengths[1]).toBeLessThan(bytes.length);
  // The turns that were asked for come, and find nothing.
  for (let i = 0; i < 3; i++) await new Promise((resolve) => void setImmediate(resolve));
  expect([own.all().length, gone.all().length]).toEqual(lengths);
});
