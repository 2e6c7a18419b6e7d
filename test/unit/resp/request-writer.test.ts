import { Buffer } from "node:buffer";
import { expect, test } from "bun:test";
import { encodeRequest, type Part } from "../../../src/resp/encode.ts";
import { RequestWriter } from "../../../src/resp/request-writer.ts";

const BLOCK_BYTES = 65_536;

function written(writer: RequestWriter, requests: readonly (readonly Part[])[]): Buffer {
  for (const parts of requests) {
    writer.begin(parts.length);
    for (const part of parts) {
      if (part instanceof Uint8Array) writer.bytes(part);
      else writer.text(String(part));
    }
  }
  return Buffer.concat(writer.take());
}

const encoded = (requests: readonly (readonly Part[])[]): Buffer =>
  Buffer.concat(requests.map((parts) => encodeRequest(parts)));

test("requests are what encodeRequest makes of them, whatever their sizes", () => {
  const writer = new RequestWriter();
  for (const length of [
    0,
    1,
    1000,
    1023,
    1024,
    1025,
    BLOCK_BYTES - 30,
    BLOCK_BYTES - 1,
    BLOCK_BYTES,
    200_000,
  ]) {
    const part = new Uint8Array(length).fill(length & 0xff);
    const requests: Part[][] = [
      ["RESTORE", part, "0"],
      ["SELECT", "3"],
      ["RESTORE", "key", part, part, "REPLACE"],
    ];
    expect(written(writer, requests).equals(encoded(requests))).toBe(true);
  }
});

test("a part in pieces is one part", () => {
  const writer = new RequestWriter();
  const pieces = [Uint8Array.of(1, 2), new Uint8Array(BLOCK_BYTES).fill(7), Uint8Array.of(3)];
  writer.begin(2);
  writer.text("SET");
  writer.pieces(BLOCK_BYTES + 3, pieces);
  writer.begin(1);
  writer.text("PING");
  const expected = encoded([["SET", Buffer.concat(pieces)], ["PING"]]);
  expect(Buffer.concat(writer.take()).equals(expected)).toBe(true);
});

test("what was taken stays as it was until the writer is told to begin anew", () => {
  const writer = new RequestWriter();
  writer.begin(1);
  writer.text("FIRST");
  const [first] = writer.take();
  writer.begin(1);
  writer.text("OTHER");
  writer.take();
  expect(Buffer.from(first!).toString()).toBe("*1\r\n$5\r\nFIRST\r\n");
  writer.reset();
  writer.begin(1);
  writer.text("AGAIN");
  expect(Buffer.concat(writer.take()).toString()).toBe("*1\r\n$5\r\nAGAIN\r\n");
});
