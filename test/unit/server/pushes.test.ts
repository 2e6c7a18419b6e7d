// What is pushed to whom, in which order, and in how many writes.
import { describe, expect, test } from "bun:test";
import type { ClientConnection } from "../../../src/server/client.ts";
import { Pushes } from "../../../src/server/pushes.ts";
import { ReplyArena } from "../../../src/engine/arena.ts";
import { Memory } from "../../../src/engine/memory.ts";
import { seeded } from "../../support/random.ts";

const bytes = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** Just what Pushes asks of a client, and what was sent to it. */
class Recipient {
  isRunning = false;
  isFinishing = false;
  readonly pushes: number[] = [];
  readonly writes: string[] = [];

  push(sent: Uint8Array): void {
    this.writes.push(Buffer.from(sent).toString("latin1"));
  }

  sendReplies(replies: ReplyArena): void {
    if (replies.length > 0) this.push(replies.written());
    replies.reset();
  }

  get connection(): ClientConnection {
    return this as unknown as ClientConnection;
  }

  get text(): string {
    return this.writes.join("");
  }
}

function scene(): { pushes: Pushes; replies: ReplyArena; reply: (text: string) => void } {
  const replies = new ReplyArena(new Memory({ seed: [1, 2, 3, 4] }));
  const reply = (text: string): void => {
    replies.reserve(text.length);
    replies.bytes.set(bytes(text), replies.end);
    replies.end += text.length;
  };
  return { pushes: new Pushes(replies), replies, reply };
}

describe("the client whose request runs", () => {
  test("gets what is pushed around its reply, in order, and never inside", () => {
    const { pushes, replies, reply } = scene();
    const client = new Recipient();
    client.isRunning = true;
    reply("1");
    pushes.begin(client.connection, replies.length);
    pushes.send(client.connection, bytes("a"));
    reply("[2");
    pushes.send(client.connection, bytes("c"));
    pushes.send(client.connection, bytes("b"), "before");
    reply("2]");
    pushes.send(client.connection, bytes("d"), "after");
    pushes.end();
    pushes.send(client.connection, bytes("e"));
    reply("3");
    expect(Buffer.from(replies.written()).toString()).toBe("1ab[22]cde3");
    expect(client.writes).toEqual([]);
  });

  test("gets it although its reply is dropped", () => {
    const { pushes, replies, reply } = scene();
    const client = new Recipient();
    client.isRunning = true;
    reply("1");
    pushes.begin(client.connection, 1);
    pushes.send(client.connection, bytes("a"));
    reply("muted");
    replies.truncate(1);
    pushes.end();
    expect(Buffer.from(replies.written()).toString()).toBe("1a");
  });
});

test("outside of requests nothing waits", () => {
  const { pushes } = scene();
  const client = new Recipient();
  for (const text of ["a", "b"]) pushes.send(client.connection, bytes(text));
  expect(client.writes).toEqual(["a", "b"]);
});

test("everybody gets everything in order, in one write for a batch that is not huge", () =>
  seeded((random) => {
    const { pushes, replies } = scene();
    const runner = new Recipient();
    const others = Array.from({ length: 5 }, () => new Recipient());
    const wanted = others.map(() => "");
    for (let batch = 0; batch < 20; batch++) {
      pushes.gather();
      const isHuge = random.below(5) === 0;
      for (let n = random.below(30); n > 0; n--) {
        pushes.begin(runner.connection, replies.length);
        pushes.relieve();
        const text = `${batch}.${n}:${"x".repeat(random.below(isHuge ? 200_000 : 200))};`;
        const from = pushes.write(bytes(text));
        for (const [i, other] of others.entries()) {
          if (random.below(3) === 0) continue;
          pushes.hand(other.connection, "here", from, pushes.length);
          wanted[i] += text;
        }
        pushes.end();
      }
      const before = others.map(({ writes }) => writes.length);
      pushes.release();
      for (const [i, other] of others.entries()) {
        if (!isHuge) expect(other.writes.length - before[i]!).toBeLessThanOrEqual(1);
        expect(other.text).toBe(wanted[i]!);
      }
    }
  }));
