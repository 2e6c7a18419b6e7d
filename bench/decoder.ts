// What does it cost to find the arguments of a request where they lie?
import { Decoder, REQUEST, type RequestMemory } from "../src/resp/decoder.ts";
import { encodeRequest } from "../test/support/resp.ts";
import { merge, runMicro } from "./micro.ts";
import type { Findings, Options } from "./report.ts";

const REQUESTS = 1000;
const ARGUMENTS = 1024;
const DOLLAR = 36;

/** Memory as the server's request arena is laid out: the bytes, and an argument table beside them. */
function lay(bytes: Buffer): RequestMemory {
  const argv = Math.ceil(bytes.length / 8) * 2;
  const buffer = new ArrayBuffer(argv * 4 + ARGUMENTS * 8);
  const memory = {
    bytes: new Uint8Array(buffer),
    u32: new Uint32Array(buffer),
    argv,
    reserveArgv: (count: number) => count <= ARGUMENTS,
  };
  memory.bytes.set(bytes);
  return memory;
}

function decodeAll(decoder: Decoder, memory: RequestMemory, end: number): number {
  let found = 0;
  decoder.at = 0;
  while (decoder.next(memory, end) === REQUEST) found++;
  return found;
}

/** The plain way, for comparison: each argument becomes a Buffer of its own. */
function decodeIntoBuffers(bytes: Buffer): number {
  let found = 0;
  for (let at = 0; at < bytes.length; found++) {
    let eol = bytes.indexOf("\r\n", at, "latin1");
    const count = Number(bytes.toString("latin1", at + 1, eol));
    const args: Buffer[] = [];
    at = eol + 2;
    for (let i = 0; i < count; i++) {
      if (bytes[at] !== DOLLAR) throw new Error("not a bulk");
      eol = bytes.indexOf("\r\n", at, "latin1");
      const length = Number(bytes.toString("latin1", at + 1, eol));
      args.push(bytes.subarray(eol + 2, eol + 2 + length));
      at = eol + 4 + length;
    }
  }
  return found;
}

export async function run(options: Options): Promise<Findings> {
  const kinds = [
    ["GET", (i: number) => encodeRequest(["GET", `key:${String(i).padStart(12, "0")}`])],
    [
      "SET, 64-byte value",
      (i: number) => encodeRequest(["SET", `key:${String(i).padStart(12, "0")}`, "v".repeat(64)]),
    ],
    [
      "MSET of 10 keys",
      (i: number) => encodeRequest(["MSET", ...Array.from({ length: 20 }, (_, j) => `part:${i}:${j}`)]),
    ],
  ] as const;
  const all: Findings[] = [];
  for (const [name, make] of kinds) {
    const bytes = Buffer.concat(Array.from({ length: REQUESTS }, (_, i) => make(i)));
    const memory = lay(bytes);
    const decoder = new Decoder();
    if (decodeAll(decoder, memory, bytes.length) !== REQUESTS) throw new Error("the decoder lost requests");
    const contenders = [
      { name: "a Buffer per argument", run: () => decodeIntoBuffers(bytes) },
      { name: "in place", run: () => decodeAll(decoder, memory, bytes.length) },
    ];
    const note = `${REQUESTS} requests in one chunk of ${bytes.length} bytes`;
    all.push(
      await runMicro(
        { title: `decoder, ${name}`, note, operations: REQUESTS, unit: "request", contenders },
        options,
      ),
    );
  }
  return merge(all);
}
