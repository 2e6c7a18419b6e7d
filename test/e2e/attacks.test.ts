// What a client may do to a node that others use: send without end, take nothing, claim what does not come. Each attack
// ends with a node that serves.
import { afterEach, describe, expect, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { fileScope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { info } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { encodeRequest } from "../support/resp.ts";
import { type Server, startRedis, startSubject } from "../support/servers.ts";

const MIB = 1024 * 1024;
/** What the kernels of both ends may hold of a stream nobody reads, and what is borne with before the close. */
const BORNE_BYTES = 24 * MIB;

describe("attacks", () => {
  const scope = fileScope();
  let server: Server;

  afterEach(async () => {
    const witness = await server.connect();
    await witness.ok("SET", "k", "v");
    expect(await witness.ask("GET", "k")).toBe("v");
    witness.close();
  });

  interface Flood {
    readonly socket: Socket;
    heard: string;
    sentBytes: number;
    isOver: boolean;
  }

  /** Says something, and then sends without end whatever it is told. */
  function flood(port: number, first: string, bytes: Uint8Array): Flood {
    const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
    scope.defer(() => void socket.destroy());
    const self: Flood = { socket, heard: "", sentBytes: 0, isOver: false };
    socket.on("data", (chunk) => (self.heard += chunk.toString()));
    socket.on("error", () => {});
    socket.on("close", () => (self.isOver = true));
    const send = (): void => {
      for (let more = true; more && !self.isOver; self.sentBytes += bytes.length) more = socket.write(bytes);
    };
    socket.on("drain", send);
    socket.once("connect", () => {
      socket.write(first);
      // What is told must have been heard before the flood has it cut off.
      const begin = (): void => (self.heard === "" ? void setTimeout(begin, 1) : send());
      begin();
    });
    return self;
  }

  const ENDS: readonly (readonly [what: string, first: string, told: string])[] = [
    ["a protocol error", "*1\r\nfoo\r\n", "-ERR Protocol error: expected '$', got 'f'\r\n"],
    ["QUIT", "QUIT\r\n", "+OK\r\n"],
  ];

  test.each(ENDS)("who floods after %s is cut off", async (_, first, told) => {
    server = await startSubject(scope);
    const self = flood(server.port, first, new Uint8Array(65_536));
    await eventually(() => self.isOver, 10_000, "it is closed");
    expect(self.heard).toBe(told);
    expect(self.sentBytes).toBeLessThan(BORNE_BYTES);
  });

  test("who floods and is killed is cut off", async () => {
    server = await startSubject(scope);
    const operator = await server.connect();
    const self = flood(server.port, "CLIENT ID\r\n", Buffer.from("PING\r\n".repeat(1000)));
    self.socket.on("data", () => (self.heard = self.heard.slice(0, 20)));
    await eventually(() => self.sentBytes > 100_000, 10_000, "it floods");
    await operator.ask("CLIENT", "KILL", "ID", self.heard.slice(1).split("\r\n")[0]!);
    await eventually(() => self.isOver, 10_000, "it is closed");
  });

  test("an error reaches a peer that has sent a hundred kilobytes behind it, as from redis-server", async () => {
    server = await startSubject(scope);
    const judge = await startRedis(scope);
    const said = async (port: number): Promise<string> => {
      const socket = connect({ port, host: "127.0.0.1" });
      scope.defer(() => void socket.destroy());
      let heard = "";
      socket.on("data", (chunk) => (heard += chunk.toString()));
      socket.on("error", () => {});
      const closed = new Promise((resolve) => void socket.once("close", resolve));
      socket.write(Buffer.concat([Buffer.from("PING\r\n*1\r\nfoo\r\n"), Buffer.alloc(100_000, "x")]));
      await closed;
      return heard;
    };
    expect(await said(server.port)).toBe("+PONG\r\n-ERR Protocol error: expected '$', got 'f'\r\n");
    expect(await said(judge.port)).toBe(await said(server.port));
  });

  test("a subscriber that takes nothing is cut off, and its memory comes back", async () => {
    server = await startSubject(scope, { "client-output-buffer-limit": "pubsub 4mb 0 0" });
    const glutton = await server.connect();
    glutton.write(encodeRequest(["SUBSCRIBE", "c"]));
    await glutton.read();
    glutton.pause();
    const publisher = await server.connect();
    const message = Buffer.alloc(500, "m");
    const batch = Array.from({ length: 2000 }, () => ["PUBLISH", "c", message] as const);
    await eventually(
      async () => {
        await publisher.pipeline(batch);
        return (await publisher.ask("PUBLISH", "c", "x")) === 0;
      },
      20_000,
      "nobody is subscribed any more",
    );
    expect(Number((await info(server.port, "clients"))["connected_clients"])).toBeLessThan(4);
  });

  test("a password not given: large and many are refused, as by redis-server", async () => {
    server = await startSubject(scope, { requirepass: "pw" }, { password: "pw" });
    const judge = await startRedis(scope, { requirepass: "pw" }, { password: "pw" });
    const attempts = [
      "*11\r\n",
      "*2\r\n$3\r\nGET\r\n$16385\r\n",
      `*2\r\n$4\r\nAUTH\r\n$16384\r\n${"x".repeat(16_384)}\r\nQUIT\r\n`,
      "x".repeat(70_000),
      `*1\r\n$${"1".repeat(70_000)}`,
    ];
    for (const attempt of attempts) {
      const heard = await Promise.all(
        [server, judge].map(async ({ port }) => {
          const self = await Client.open(port);
          scope.defer(() => self.close());
          self.write(attempt);
          return (await self.untilClosed()).toString();
        }),
      );
      expect(heard[0]).not.toBe("");
      expect(heard[0]).toBe(heard[1]!);
    }
  });

  test("a limit set while clients are connected holds for them too, as in redis-server", async () => {
    server = await startSubject(scope);
    const judge = await startRedis(scope);
    const answers = await Promise.all(
      [server, judge].map(async (each) => {
        const [operator, client, waiting] = [
          await each.connect(),
          await each.connect(),
          await each.connect(),
        ] as const;
        const pong = await client.ask("PING");
        await operator.ok("CONFIG", "SET", "proto-max-bulk-len", "1mb", "client-query-buffer-limit", "1mb");
        client.write(`*2\r\n$4\r\nECHO\r\n$${MIB + 1}\r\n`);
        const refusal = (await client.untilClosed()).toString();
        waiting.write(Buffer.concat([Buffer.from("*3\r\n"), ...Array(2).fill(bulk(MIB - 1))] as Buffer[]));
        await waiting.untilClosed();
        return [pong, refusal];
      }),
    );
    expect(answers[0]).toEqual(answers[1]!);
    expect(answers[0]![1]).toContain("invalid bulk length");
  });

  function bulk(length: number): Buffer {
    return Buffer.concat([Buffer.from(`$${length}\r\n`), Buffer.alloc(length, "x"), Buffer.from("\r\n")]);
  }
});
