import { describe, expect, test } from "bun:test";
import { ReplicaMachine } from "../../../src/replication/replica.ts";
import type { ReplicaEffect } from "../../../src/replication/replica-events.ts";

const ID = "c".repeat(40);
const MARK = "m".repeat(40);
/** Bytes kept while a copy is loaded. */
const HELD_LIMIT = 80_000;
const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

/** A machine, its surroundings and a clock; what it does is told in short words. */
class Bench {
  around = {
    replId: undefined as string | undefined,
    offset: 0,
    port: 7001,
    announceIp: undefined as string | undefined,
    user: undefined as string | undefined,
    password: undefined as string | undefined,
    timeoutMs: 60_000,
  };
  readonly machine = new ReplicaMachine(this.around, HELD_LIMIT);
  nowMs = 1000;

  follow(): string[] {
    return words(this.machine.step({ type: "follow", host: "10.0.0.1", port: 7000 }, this.nowMs));
  }
  connected(): string[] {
    return words(this.machine.step({ type: "connected" }, this.nowMs));
  }
  hear(value: string): string[] {
    return words(this.machine.step({ type: "received", bytes: bytes(value) }, this.nowMs));
  }
  closed(): string[] {
    return words(this.machine.step({ type: "closed", reason: "connection reset" }, this.nowMs));
  }
  loaded(): string[] {
    return words(this.machine.step({ type: "loaded" }, this.nowMs));
  }
  tickAfter(ms: number): string[] {
    this.nowMs += ms;
    return words(this.machine.step({ type: "tick" }, this.nowMs));
  }
  /** As far as PSYNC. */
  ask(): string[] {
    this.follow();
    this.connected();
    this.hear("+PONG\r\n");
    return this.hear("+OK\r\n+OK\r\n");
  }
  online(): void {
    this.ask();
    this.hear(`+FULLRESYNC ${ID} 10\r\n$4\r\nRDB!`);
    this.around.replId = ID;
    this.around.offset = 10;
    this.loaded();
    expect(this.machine.state).toBe("connected");
  }
}

function words(effects: readonly ReplicaEffect[]): string[] {
  return effects
    .filter((effect) => effect.type !== "log")
    .map((effect) => {
      switch (effect.type) {
        case "connect":
          return `connect ${effect.host}:${effect.port}`;
        case "send":
          return `send ${text(effect.bytes)
            .replace(/^\*\d+\r\n|\$\d+\r\n/g, "")
            .trim()
            .replace(/\r\n/g, " ")}`;
        case "copyBegins":
          return `copyBegins ${effect.replId} ${effect.offset} ${effect.size}`;
        case "copy":
        case "stream":
          return `${effect.type} ${text(effect.bytes)}`;
        case "continues":
          return `continues ${effect.replId}`;
        default:
          return effect.type;
      }
    });
}

describe("a replica", () => {
  test("introduces itself, takes a copy of known size and goes online with the stream behind it", () => {
    const bench = new Bench();
    expect(bench.follow()).toEqual(["connect 10.0.0.1:7000"]);
    expect(bench.connected()).toEqual(["send PING"]);
    expect(bench.hear("+PO")).toEqual([]);
    expect(bench.hear("NG\r\n")).toEqual([
      "send REPLCONF listening-port 7001",
      "send REPLCONF capa eof capa psync2",
    ]);
    expect(bench.hear("+OK\r\n")).toEqual([]);
    expect(bench.hear("+OK\r\n")).toEqual(["send PSYNC ? -1"]);
    expect(bench.hear(`+FULLRESYNC ${ID} 77\r\n`)).toEqual([]);
    expect(bench.machine.state).toBe("sync");
    expect(bench.hear("\n\n$8\r\nREDI")).toEqual([`copyBegins ${ID} 77 8`, "copy REDI"]);
    expect(bench.machine.copyProgress).toEqual({ received: 4, total: 8 });
    expect(bench.hear("S010*1\r\n")).toEqual(["copy S010", "copyEnds"]);
    expect(bench.hear("more")).toEqual([]);
    bench.around.offset = 77;
    expect(bench.loaded()).toEqual(["send REPLCONF ACK 77", "stream *1\r\n", "stream more"]);
    expect(bench.hear("*1\r\n")).toEqual(["stream *1\r\n"]);
  });

  test("takes a copy ended by a mark and answers at once", () => {
    const bench = new Bench();
    bench.ask();
    const effects = bench.hear(`+FULLRESYNC ${ID} 0\r\n\n$EOF:${MARK}\r\nbody${MARK}`);
    expect(effects).toEqual([`copyBegins ${ID} 0 undefined`, "copy body", "copyEnds"]);
    expect(bench.loaded()).toEqual(["send REPLCONF ACK 0"]);
  });

  test("authenticates, with and without a user, and gives up for a while when refused", () => {
    const bench = new Bench();
    bench.around.password = "secret";
    bench.around.announceIp = "192.168.1.9";
    bench.follow();
    bench.connected();
    expect(bench.hear("-NOAUTH Authentication required.\r\n")).toEqual([
      "send AUTH secret",
      "send REPLCONF listening-port 7001",
      "send REPLCONF ip-address 192.168.1.9",
      "send REPLCONF capa eof capa psync2",
    ]);
    expect(bench.hear("-WRONGPASS invalid username-password pair\r\n")).toEqual(["disconnect"]);
    expect(bench.machine.state).toBe("connect");
    bench.around.user = "copier";
    expect(bench.tickAfter(100)).toEqual(["connect 10.0.0.1:7000"]);
    bench.connected();
    expect(bench.hear("+PONG\r\n")[0]).toBe("send AUTH copier secret");
    // An old master that does not know an option is followed all the same.
    expect(bench.hear("+OK\r\n-ERR unknown\r\n+OK\r\n+OK\r\n")).toEqual(["send PSYNC ? -1"]);
  });

  test("asks to go on where it was, and takes the id the master goes on under", () => {
    const bench = new Bench();
    bench.around.replId = ID;
    bench.around.offset = 500;
    expect(bench.ask()).toEqual([`send PSYNC ${ID} 501`]);
    const next = "d".repeat(40);
    expect(bench.hear(`+CONTINUE ${next}\r\n*1\r\n`)).toEqual([
      `continues ${next}`,
      "send REPLCONF ACK 500",
      "stream *1\r\n",
    ]);
    bench.closed();
    bench.tickAfter(100);
    bench.connected();
    bench.hear("+PONG\r\n");
    bench.hear("+OK\r\n+OK\r\n");
    expect(bench.hear("+CONTINUE\r\n")).toEqual(["continues undefined", "send REPLCONF ACK 500"]);
  });

  test.each([
    "-NOMASTERLINK Can't SYNC while not connected with my master",
    "-LOADING Redis is loading",
    "-NOAUTH x",
  ])("tries again later after %s", (line) => {
    const bench = new Bench();
    bench.ask();
    expect(bench.hear(`${line}\r\n`)).toEqual(["disconnect"]);
    expect(bench.tickAfter(99)).toEqual([]);
    expect(bench.tickAfter(1)).toEqual(["connect 10.0.0.1:7000"]);
  });

  test.each([
    `+FULLRESYNC ${ID} 99999999999999999999999`,
    `+FULLRESYNC ${ID} 9007199254740993`,
    `+FULLRESYNC ${ID} -1`,
    `+FULLRESYNC ${ID} 1e5`,
    `+FULLRESYNC ${ID}`,
    `+FULLRESYNC ${"z".repeat(40)} 5`,
    "+FULLRESYNC",
    `+CONTINUE ${ID}`, // there is nothing to go on from
    "+CONTINUE",
    "+OK",
    "*3",
    "$5",
  ])("leaves a master that answers %s", (line) => {
    const bench = new Bench();
    bench.ask();
    expect(bench.hear(`${line}\r\n`)).toEqual(["disconnect"]);
    expect(bench.tickAfter(100)).toEqual(["connect 10.0.0.1:7000"]);
  });

  test.each([`+CONTINUE ${"z".repeat(40)}`, "+CONTINUE 5", `+CONTINUE ${ID}${ID}`])(
    "leaves a master that goes on under no id: %s",
    (line) => {
      const bench = new Bench();
      bench.around.replId = ID;
      bench.ask();
      expect(bench.hear(`${line}\r\n`)).toEqual(["disconnect"]);
    },
  );

  test("falls back to SYNC when PSYNC is unknown", () => {
    const bench = new Bench();
    bench.ask();
    expect(bench.hear("-ERR unknown command 'PSYNC'\r\n")).toEqual(["send SYNC"]);
    expect(bench.hear("$2\r\nxy")).toEqual(["copyBegins undefined 0 2", "copy xy", "copyEnds"]);
  });

  test("acknowledges each second and when asked", () => {
    const bench = new Bench();
    bench.online();
    expect(bench.tickAfter(900)).toEqual([]);
    bench.around.offset = 42;
    expect(bench.tickAfter(100)).toEqual(["send REPLCONF ACK 42"]);
    expect(words(bench.machine.step({ type: "acknowledge" }, bench.nowMs))).toEqual(["send REPLCONF ACK 42"]);
    expect(bench.tickAfter(999)).toEqual([]);
  });

  test("leaves a silent master in every phase", () => {
    const phases: ((bench: Bench) => void)[] = [
      (bench) => bench.follow(),
      (bench) => [bench.follow(), bench.connected()],
      (bench) => [bench.follow(), bench.connected(), bench.hear("+PONG\r\n")],
      (bench) => bench.ask(),
      (bench) => [bench.ask(), bench.hear(`+FULLRESYNC ${ID} 0\r\n$10\r\nx`)],
      (bench) => bench.online(),
    ];
    for (const reach of phases) {
      const bench = new Bench();
      reach(bench);
      expect(bench.tickAfter(60_000).filter((word) => word === "disconnect")).toEqual([]);
      expect(bench.tickAfter(1)).toEqual(["disconnect"]);
      expect(bench.machine.state).toBe("connect");
    }
  });

  test("shows life while it loads, however long that takes", () => {
    const bench = new Bench();
    bench.ask();
    bench.hear(`+FULLRESYNC ${ID} 0\r\n$1\r\nx`);
    expect(bench.tickAfter(100_000)).toEqual(["send "]);
    expect(bench.machine.state).toBe("sync");
  });

  test("waits longer from failure to failure, up to a second", () => {
    const bench = new Bench();
    bench.follow();
    const waits: number[] = [];
    for (let i = 0; i < 6; i++) {
      bench.closed();
      let waited = 0;
      while (bench.tickAfter(50).length === 0) waited += 50;
      waits.push(waited + 50);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  test("drops what it held of a copy that fails, and says since when it is alone", () => {
    const bench = new Bench();
    bench.online();
    expect(bench.machine.wentDownAtMs).toBe(0);
    bench.nowMs = 5000;
    expect(bench.closed()).toEqual(["disconnect"]);
    expect(bench.machine.wentDownAtMs).toBe(5000);
    bench.tickAfter(100);
    bench.connected();
    bench.hear("+PONG\r\n");
    bench.hear("+OK\r\n+OK\r\n");
    bench.hear(`+FULLRESYNC ${ID} 0\r\n$1\r\nxstream`);
    expect(words(bench.machine.step({ type: "loadFailed", reason: "wrong checksum" }, bench.nowMs))).toEqual([
      "disconnect",
    ]);
    expect(bench.loaded()).toEqual([]);
  });

  test("stops and follows another at once", () => {
    const bench = new Bench();
    bench.online();
    expect(words(bench.machine.step({ type: "follow", host: "b", port: 2 }, bench.nowMs))).toEqual([
      "disconnect",
      "connect b:2",
    ]);
    expect(words(bench.machine.step({ type: "stop" }, bench.nowMs))).toEqual(["disconnect"]);
    expect(bench.machine.state).toBe("none");
    expect(bench.tickAfter(10_000)).toEqual([]);
    expect(bench.closed()).toEqual([]);
  });
});

describe("a master that dies while its copy is being loaded", () => {
  test("leaves a replica with the copy and what came after it", () => {
    const bench = new Bench();
    bench.ask();
    bench.hear(`+FULLRESYNC ${ID} 10\r\n$4\r\nRDB!SET`);
    expect(bench.closed()).toEqual([]);
    expect(bench.machine.state).toBe("sync");
    bench.nowMs += 5000;
    expect(bench.loaded()).toEqual(["send REPLCONF ACK 0", "stream SET", "disconnect"]);
    expect(bench.machine.state).toBe("connect");
    expect(bench.machine.wentDownAtMs).toBe(bench.nowMs);
    expect(bench.tickAfter(1000)).toEqual(["connect 10.0.0.1:7000"]);
  });

  test("is not waited for when the operator wants another", () => {
    const bench = new Bench();
    bench.ask();
    bench.hear(`+FULLRESYNC ${ID} 10\r\n$4\r\nRDB!`);
    bench.closed();
    expect(bench.follow()).toEqual(["disconnect", "connect 10.0.0.1:7000"]);
    expect(bench.loaded()).toEqual([]);
  });
});

test("a stream that outgrows what is kept while its copy is loaded is asked for again from where that ends", () => {
  const bench = new Bench();
  bench.ask();
  const piece = "x".repeat(HELD_LIMIT / 8);
  bench.hear(`+FULLRESYNC ${ID} 10\r\n$4\r\nRDB!first`);
  for (let i = 0; i < 9; i++) expect(bench.hear(piece)).toEqual([]);
  expect(bench.hear("last")).toEqual([]);
  const effects = bench.machine.step({ type: "loaded" }, bench.nowMs);
  const streamed = effects.filter((effect) => effect.type === "stream").map(({ bytes: sent }) => sent.length);
  expect(streamed).toEqual([5, ...Array.from({ length: 7 }, () => HELD_LIMIT / 8)]);
  expect(effects.at(-1)?.type).toBe("disconnect");
  expect(bench.machine.state).toBe("connect");
});
