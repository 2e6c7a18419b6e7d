// Input that breaks the protocol: the same words and the same end as redis-server's, and the node keeps serving.
import { beforeAll, describe, expect, test } from "bun:test";
import { fileScope } from "../support/cleanup.ts";
import { Client } from "../support/client.ts";
import { eventually } from "../support/eventually.ts";
import { Random, seeded } from "../support/random.ts";
import { type Server, startOurs, startRedis, startSubject } from "../support/servers.ts";
import { judged } from "./harness/conformance.ts";
import { showTranscript, transcribe } from "./harness/transcript.ts";

const bulk = (text: string): string => `$${text.length}\r\n${text}\r\n`;
const request = (...args: string[]): string => `*${args.length}\r\n${args.map(bulk).join("")}`;
const PING = request("PING");

/** Input that redis-server answers or refuses at once; what follows it shows whether the connection lived. */
const INPUTS: readonly string[] = [
  // Counts of arguments.
  "*0\r\n", "*-1\r\n", "*-2147483648\r\n", "*\r\n", "*abc\r\n", "*1x\r\n", "* 1\r\n", "*1 \r\n", "*+1\r\n" + bulk("PING"),
  "*01\r\n" + bulk("PING"), "*1048577\r\n", "*2147483647\r\n", "*2147483648\r\n", "*9223372036854775807\r\n",
  "*9223372036854775808\r\n", "*99999999999999999999\r\n", "*1.5\r\n", "*-0\r\n", `*${"1".repeat(40)}\r\n`, "*1048576x\r\n",
  `*0\r\n*0\r\n${PING}`, `*-1\r\n${PING}*-5\r\n${PING}`,
  // Lengths of arguments.
  "*1\r\n$-1\r\n", "*1\r\n$\r\n", "*1\r\n$abc\r\n", "*1\r\n$4x\r\nPING\r\n", "*1\r\n$ 4\r\nPING\r\n", "*1\r\n$+4\r\nPING\r\n",
  "*1\r\n$04\r\nPING\r\n", "*1\r\n$536870913\r\n", "*1\r\n$2147483647\r\n", "*1\r\n$4294967296\r\n",
  "*1\r\n$9223372036854775807\r\n", "*1\r\n$9223372036854775808\r\n", "*1\r\n$-9223372036854775808\r\n", "*1\r\n$-0\r\n\r\n",
  "*2\r\n$4\r\nECHO\r\n$-5\r\n", "*2\r\n$4\r\nECHO\r\n$0\r\n\r\n", "*1\r\n$0\r\n\r\n", `*1\r\n$${"1".repeat(40)}\r\n`,
  // Something other than $ where an argument begins.
  "*1\r\nPING\r\n", "*1\r\n:4\r\n", "*1\r\n*1\r\n$4\r\nPING\r\n", "*1\r\n+PING\r\n", "*1\r\n\r\n", "*2\r\n$4\r\nECHO\r\nx\r\n",
  "*1\r\n\xff\r\n", "*1\r\n'4\r\nPING\r\n",
  // CRLF elsewhere: the two bytes after an argument are skipped unread, a lone CR or LF ends nothing.
  "*1\r\n$4\r\nPINGxx", "*2\r\n$4\r\nECHO__$2\r\nhi__", "*1\r\n$3\r\nPING\r\n", "*1\r\n$5\r\nPING\r\n\r\n",
  "*1\rx$4\r\nPING\r\n", "*1\r\n$4\rxPING\r\n",
  // Inline requests.
  "\r\n", "\n", "\r\n\r\n\r\n", " \r\n", "\t\r\n", "PING\r\n", "PING\n", "ping\n", "  PING  \r\n", "\tPING\t\r\n", "PING a b c\r\n",
  'ECHO "a b"\r\n', "ECHO 'a b'\r\n", 'ECHO "a\\x41\\n\\t\\r\\b\\a\\q\\\\\\""\r\n', 'ECHO "\\xZZ\\x4"\r\n', "ECHO 'a\\'b\\n'\r\n",
  'ECHO ""\r\n', "ECHO ''\r\n", 'ECHO "unbalanced\r\n', "ECHO 'unbalanced\r\n", 'ECHO "a"b\r\n', "ECHO 'a'b\r\n", 'ECHO a"b c"d\r\n',
  "ECHO a'b c'd\r\n", 'ECHO "a\\"\r\n', 'ECHO "a" "b"\r\n', 'SET "" x\r\n', '"PING"\r\n', '"" x\r\n', "ECHO \x01\xff\r\n",
  "PING\rPING\r\n", "PING\r\r\n", "PING\n\n\nPING\n", "GET\r\n", "NOSUCH a b\r\n", `NOSUCH ${"x".repeat(300)} ${"y".repeat(300)}\r\n`,
  "\v\fPING\r\n", "ECHO a\vb\r\n", "HELLO 3 NOSUCH\r\n", "$4\r\nPING\r\n", "+PING\r\n", ":1\r\n", "%1\r\n", "-ERR\r\n",
  // Requests that look like another protocol's.
  "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nHost: x\r\n\r\n", "Host: localhost\r\n", "post x\r\n", "HOST: x\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  // Sound requests before the broken one are served, those after it are not.
  `${PING}${PING}*1\r\n$-1\r\n${PING}`, `PING\r\n${PING}PING\r\n`, `${PING}*x\r\n`, `${request("ECHO", "a\r\nb")}ECHO "\r\n`,
  `${request("QUIT")}${PING}`, `QUIT\r\n${PING}`, `${request("quit", "now")}${PING}`,
  // As long as an inline request may be.
  `${"x".repeat(65_535)}\r\n`, `ECHO ${"y".repeat(60_000)}\r\n`,
]; // prettier-ignore

/** Input that stops amid a request; the client then ends its half. */
const CUT_OFF: readonly string[] = [
  "*", "*1", "*1\r", "*1\r\n", "*1\r\n$", "*1\r\n$4", "*1\r\n$4\r", "*1\r\n$4\r\n", "*1\r\n$4\r\nPI", "*1\r\n$4\r\nPING", "*1\r\n$4\r\nPING\r",
  "PING", "PING\r", "ECHO \"", `${PING}*1\r\n$4\r\nPI`, `PING\r\n${PING}PIN`, "*2\r\n$4\r\nECHO\r\n$536870912\r\nx", "*1048576\r\n$1\r\na\r\n",
  // Lines that never end.
  "x".repeat(70_000), `*${"1".repeat(70_000)}`, `*1\r\n$${"1".repeat(70_000)}`,
  // A NUL hides the line's end behind it, so the line goes on.
  "*1\r\n\x00\x00\r\n", "ECHO a\x00b\r\n", "\x00\r\n", "PING\r\nECHO \x00\r\nPING\r\n", "*\x001\r\n$4\r\nPING\r\n",
  "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n",
]; // prettier-ignore

for (const mode of ["alone", "cluster"] as const) {
  describe(`malformed input, ${mode}`, () => {
    const pair = judged(mode);

    test.each(INPUTS.map((input) => [title(input), input]))("%s", async (_, input) => {
      await sameTranscript(pair.servers, input, false);
    });

    test.each(CUT_OFF.map((input) => [title(input), input]))("cut off: %s", async (_, input) => {
      await sameTranscript(pair.servers, input, true);
    });
  });
}

describe("limits before authentication", () => {
  const scope = fileScope();
  const servers: { theirs?: Server; ours?: Server } = {};
  beforeAll(async () => {
    const options = { password: "secret" };
    [servers.theirs, servers.ours] = await Promise.all([
      startRedis(scope, {}, options),
      startSubject(scope, { "cluster-enabled": "no" }, options),
    ]);
  }, 40_000);

  const wide = (count: number): string => request("SET", ...Array.from({ length: count - 1 }, () => "x"));
  const inputs = [
    PING, request("GET", "a"), wide(10), wide(11), `*11\r\n`, request("AUTH", "x".repeat(16_384)), "*2\r\n$4\r\nAUTH\r\n$16385\r\n",
    request("AUTH", "wrong"), request("AUTH", "secret") + wide(11), request("AUTH", "default", "secret") + request("ECHO", "y".repeat(20_000)),
    request("HELLO", "3"), request("HELLO", "3", "AUTH", "default", "wrong"), request("QUIT"), request("RESET"), request("NOSUCH"), request("SET", "a"),
    `${request("AUTH", "secret")}${request("RESET")}${wide(11)}`, request("HELLO", "9"), request("COMMAND"), request("CLIENT", "ID"), "GET a\r\n",
  ]; // prettier-ignore

  test.each(inputs.map((input) => [title(input), input]))("%s", async (_, input) => {
    if (servers.theirs === undefined || servers.ours === undefined)
      throw new Error("the servers did not start");
    await sameTranscript(
      { theirs: servers.theirs, ours: servers.ours },
      input,
      false,
      request("AUTH", "secret"),
    );
  });
});

describe("random bytes", () => {
  const scope = fileScope();
  const STREAMS = 10_000;
  const TOGETHER = 50;

  test("ten thousand streams leave the node serving", async () => {
    const server = await startOurs(scope);
    const witness = await server.connect();
    await witness.ok("SET", "witness", "untouched");
    await seeded(async (random) => {
      for (let sent = 0; sent < STREAMS; sent += TOGETHER) {
        await Promise.all(Array.from({ length: TOGETHER }, () => throwAt(server, garbage(random))));
        expect(await witness.ask("PING")).toBe("PONG");
      }
    });
    expect(server.child.isRunning).toBe(true);
    expect(await witness.ask("GET", "witness")).toBe("untouched");
    const forgotten = async (): Promise<boolean> =>
      (await witness.text("INFO", "clients")).includes("connected_clients:1\r\n");
    await eventually(forgotten, 5000, "only the witness is still connected");
  }, 180_000);
});

/** Noise of several kinds: bytes of any value, letters the protocol is made of, sound requests with a few bytes changed. */
function garbage(random: Random): Buffer {
  const alphabet = "*$+-:0123456789\r\n\r\n \"'\\PINGgetset";
  return random.weighted([
    [2, () => random.bytes(random.between(1, 400))],
    [
      3,
      () =>
        Buffer.from(
          Array.from({ length: random.between(1, 200) }, () => random.pick([...alphabet])).join(""),
        ),
    ],
    [
      3,
      () => damaged(random, Buffer.from(PING + request("SET", "noise", "x".repeat(random.below(50))) + PING)),
    ],
    [
      1,
      () =>
        Buffer.from(
          `*${random.below(100_000)}\r\n$${random.below(600_000_000)}\r\n${"z".repeat(random.below(500))}`,
        ),
    ],
  ]);
}

function damaged(random: Random, bytes: Buffer): Buffer {
  for (let i = random.between(1, 4); i > 0; i--) bytes[random.below(bytes.length)] = random.below(256);
  return random.chance(0.3) ? bytes.subarray(0, random.below(bytes.length)) : bytes;
}

/** Sends and ends its half; done when the server has closed. */
async function throwAt(server: Server, bytes: Buffer): Promise<void> {
  const client = await Client.open(server.port);
  client.write(bytes);
  client.finish();
  await client.untilClosed();
}

async function sameTranscript(
  servers: { theirs: Server; ours: Server },
  input: string,
  openEnded: boolean,
  beforeEcho = "",
): Promise<void> {
  const bytes = Buffer.from(input, "latin1");
  const [theirs, ours] = await Promise.all([
    transcribe(servers.theirs, bytes, { openEnded, beforeEcho }),
    transcribe(servers.ours, bytes, { openEnded, beforeEcho }),
  ]);
  expect(showTranscript(ours)).toBe(showTranscript(theirs));
}

function title(input: string): string {
  const text = JSON.stringify(input);
  return text.length > 60 ? `${text.slice(0, 60)}… (${input.length} bytes)` : text;
}
