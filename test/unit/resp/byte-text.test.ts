import { expect, test } from "bun:test";
import { byteText, bytesOf } from "../../../src/resp/byte-text.ts";
import { ReplicaMachine } from "../../../src/replication/replica.ts";

const ALL = Uint8Array.from({ length: 256 }, (_, byte) => byte);

test("every byte is one character of the same number, and the other way round", () => {
  const text = byteText(ALL);
  expect(Array.from(text, (character) => character.charCodeAt(0))).toEqual([...ALL]);
  expect([...bytesOf(text)]).toEqual([...ALL]);
});

test("a part of bytes that lie in the middle of others", () => {
  expect(byteText(ALL.subarray(100), 20, 23)).toBe("xyz");
});

test("what a master answers is told as it came", () => {
  const around = {
    replId: undefined,
    offset: 0,
    port: 1,
    announceIp: undefined,
    user: undefined,
    password: undefined,
  };
  const machine = new ReplicaMachine({ ...around, timeoutMs: 1000 });
  machine.step({ type: "follow", host: "10.0.0.1", port: 7000 }, 1);
  machine.step({ type: "connected" }, 1);
  const bytes = Uint8Array.of(45, 0x80, 0x9f, 13, 10);
  const effects = machine.step({ type: "received", bytes }, 1);
  expect(effects).toContainEqual({
    type: "log",
    level: "warning",
    text: expect.stringContaining("-\x80\x9f"),
  });
});
