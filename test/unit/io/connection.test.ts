// How a connection hands on what its socket delivers: in order, in pieces, and not all at once when that takes long.
import { expect, test } from "bun:test";
import { FaultDomain } from "../../../src/io/fault-domain.ts";
import { connect, Connection, listen, openSockets } from "../../../src/io/sockets.ts";
import { eventually } from "../../support/eventually.ts";

type RawSocket = ConstructorParameters<typeof Connection>[0];

/** A socket that notes what is asked of it, and takes `room.bytes` of each write. */
function fakeSocket(room = { bytes: Infinity }): { raw: RawSocket; asked: string[] } {
  const asked: string[] = [];
  const note =
    (what: string): (() => void) =>
    () =>
      void asked.push(what);
  const raw = {
    remoteAddress: "127.0.0.1",
    localAddress: "127.0.0.1",
    localPort: 1,
    write: (all: Uint8Array, from = 0, length = all.length) => {
      asked.push(`write ${from}`);
      return Math.min(length, room.bytes);
    },
    pause: note("pause"),
    resume: note("resume"),
    end: note("end"),
    shutdown: note("shutdown"),
  };
  return { raw: raw as unknown as RawSocket, asked };
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

interface Written {
  readonly connection: Connection;
  readonly asked: string[];
  readonly room: { bytes: number };
}

function open(room = { bytes: Infinity }): Written {
  const { raw, asked } = fakeSocket(room);
  const connection = new Connection(raw);
  return { connection, asked, room };
}

test("a peer that goes on sending to a connection that ends is borne for a megabyte", () => {
  const { connection, asked } = open();
  connection.send(bytes.subarray(0, 10));
  connection.finish();
  expect(asked).toEqual(["write 0", "shutdown"]);
  const chunk = new Uint8Array(100_000);
  for (let i = 0; i < 10; i++) connection.wasReceived(chunk);
  expect(connection.isClosed).toBe(false);
  connection.wasReceived(chunk);
  expect(connection.isClosed).toBe(true);
  expect(asked.at(-1)).toBe("end");
});

test("while the last replies go out nothing is read", () => {
  const { connection, asked, room } = open({ bytes: 0 });
  connection.send(bytes);
  connection.finish();
  expect(asked.at(-1)).toBe("pause");
  room.bytes = 150_000;
  connection.wasDrained();
  expect(connection.queuedBytes).toBe(50_000);
  connection.wasDrained();
  expect(asked.slice(-2)).toEqual(["shutdown", "resume"]);
  connection.wasEnded();
  expect(connection.isClosed).toBe(true);
});

test("few wait for their peers to close, and no socket is counted twice", () => {
  const before = openSockets.count;
  const all = Array.from({ length: 200 }, () => open().connection);
  expect(openSockets.count).toBe(before + 200);
  for (const connection of all) connection.finish();
  const still = all.filter(({ isClosed }) => !isClosed);
  expect(still.length).toBeGreaterThan(10);
  expect(still.length).toBeLessThan(100);
  expect(still).toEqual(all.slice(-still.length)); // the oldest were closed
  expect(openSockets.count).toBe(before + still.length);
  for (const connection of all) connection.close();
  expect(openSockets.count).toBe(before);
});

test("one that waits for its peer is closed as its own domain's, whoever is the one too many", () => {
  const told: unknown[] = [];
  const domain = new FaultDomain((cause) => told.push(cause));
  const other = new FaultDomain(() => told.push("the other"));
  const oldest = domain.within(() => open().connection);
  let closedIn: FaultDomain | undefined;
  oldest.user = {
    received: () => {},
    closed: () => {
      closedIn = FaultDomain.current;
      throw new Error("of its own");
    },
  };
  oldest.finish();
  const all = other.within(() => Array.from({ length: 100 }, () => open().connection));
  for (const connection of all) other.run(() => connection.finish(), undefined, undefined);
  expect(closedIn).toBe(domain);
  expect(told).toEqual([new Error("of its own")]);
  expect(other.hasFailed).toBe(false);
  for (const connection of all) connection.close();
});

test("a connection that comes up after its domain has failed is closed", async () => {
  const before = openSockets.count;
  let accepted = 0;
  let closed = 0;
  const listener = listen("127.0.0.1", 0, () => {
    accepted++;
    return { received: () => {}, closed: () => closed++ };
  });
  const domain = new FaultDomain(() => {});
  const attempt = domain.within(() => connect("127.0.0.1", listener.port, 5000));
  domain.fail("why");
  await expect(attempt).rejects.toThrow("no connection");
  await eventually(() => accepted === 1 && closed === 1, 5000, "its peer sees it come and go");
  listener.stop();
  expect(openSockets.count).toBe(before);
});

test("what a peer does not take goes out in order, and small replies that wait take no more than they are long", () => {
  const room = { bytes: 0 };
  const { raw } = fakeSocket(room);
  const written: Uint8Array[] = [];
  let writes = 0;
  const socket = {
    ...(raw as unknown as object),
    write: (all: Uint8Array, from = 0, length = all.length - from) => {
      const taken = Math.min(length, room.bytes);
      written.push(all.slice(from, from + taken));
      writes++;
      return taken;
    },
  };
  const connection = new Connection(socket as unknown as RawSocket);
  const sent: Uint8Array[] = [];
  for (let i = 0; i < 5000; i++) {
    const piece = bytes.subarray(i % 1000, (i % 1000) + (i % 500 === 7 ? 40_000 : 1 + (i % 37)));
    sent.push(piece);
    connection.write(piece, 0, piece.length);
  }
  expect(connection.queuedBytes).toBe(sent.reduce((sum, { length }) => sum + length, 0));
  writes = 0;
  room.bytes = 10_007; // each write is cut short
  while (connection.queuedBytes > 0) connection.wasDrained();
  expect(writes).toBeLessThan(150);
  expect(Buffer.concat(written).equals(Buffer.concat(sent))).toBe(true);
});
