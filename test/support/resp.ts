// Reads replies for the judges: each as the bytes that came and as a tree. Written apart from src/resp on purpose,
// so that one mistake cannot hide in both the server and its judge.

export type Value =
  | { readonly kind: "simple" | "error" | "integer" | "double" | "big" | "boolean"; readonly text: string }
  | { readonly kind: "bulk" | "verbatim" | "bulkError"; readonly bytes: Buffer }
  | { readonly kind: "array" | "set" | "push"; readonly items: readonly Value[] }
  | { readonly kind: "map" | "attribute"; readonly pairs: readonly (readonly [Value, Value])[] }
  | { readonly kind: "null" };

export interface Reply {
  readonly raw: Buffer;
  readonly value: Value;
}

const LINES = {
  "+": "simple",
  "-": "error",
  ":": "integer",
  ",": "double",
  "(": "big",
  "#": "boolean",
} as const;
const BULKS = { $: "bulk", "=": "verbatim", "!": "bulkError" } as const;
const LISTS = { "*": "array", "~": "set", ">": "push" } as const;
const MAPS = { "%": "map", "|": "attribute" } as const;

/** Bytes came that no RESP reply starts with, or that break one off. */
export class NotResp extends Error {}

/** Not a failure: the reply goes on in bytes that have not come yet. */
const INCOMPLETE = Symbol("incomplete");

export class ReplyReader {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  /** Chunks that came since `#bytes` was put together; joined once they can complete a reply. */
  #later: Uint8Array[] = [];
  #laterLength = 0;
  #start = 0;
  /** How many bytes from `#at` on the reply at hand takes at least, as far as that is known. */
  #wanted = 0;

  feed(chunk: Uint8Array): void {
    this.#later.push(chunk);
    this.#laterLength += chunk.length;
  }

  /** What has come and is not yet part of a whole reply. */
  get rest(): Buffer {
    this.#join();
    return this.#bytes.subarray(this.#at);
  }

  #join(): void {
    if (this.#later.length === 0) return;
    this.#bytes = Buffer.concat([this.#bytes.subarray(this.#at), ...this.#later]);
    this.#at = 0;
    this.#later = [];
    this.#laterLength = 0;
  }

  /** The next whole reply, if it is there. */
  next(): Reply | undefined {
    if (this.#bytes.length - this.#at + this.#laterLength < this.#wanted) return undefined;
    this.#join();
    this.#wanted = 0;
    const start = this.#at;
    this.#start = start;
    try {
      const value = this.#value();
      return { raw: Buffer.from(this.#bytes.subarray(start, this.#at)), value };
    } catch (reason) {
      this.#at = start;
      if (reason === INCOMPLETE) return undefined;
      throw reason;
    }
  }

  #value(): Value {
    const line = this.#line();
    const type = line[0] ?? "";
    const text = line.slice(1);
    if (isIn(type, LINES)) return { kind: LINES[type], text };
    if (type === "_") return { kind: "null" };
    const length = Number(text);
    if (!/^-?\d+$/.test(text)) throw new NotResp(`no reply starts with ${JSON.stringify(line)}`);
    if (length < 0) return { kind: "null" };
    if (isIn(type, BULKS)) return { kind: BULKS[type], bytes: this.#bulk(length) };
    if (isIn(type, LISTS)) return { kind: LISTS[type], items: Array.from({ length }, () => this.#value()) };
    if (isIn(type, MAPS)) {
      return {
        kind: MAPS[type],
        pairs: Array.from({ length }, () => [this.#value(), this.#value()] as const),
      };
    }
    throw new NotResp(`no reply starts with ${JSON.stringify(line)}`);
  }

  #line(): string {
    const end = this.#bytes.indexOf("\r\n", this.#at, "latin1");
    if (end < 0) throw INCOMPLETE;
    const line = this.#bytes.toString("latin1", this.#at, end);
    this.#at = end + 2;
    return line;
  }

  #bulk(length: number): Buffer {
    const end = this.#at + length;
    if (this.#bytes.length < end + 2) {
      this.#wanted = end + 2 - this.#start;
      throw INCOMPLETE;
    }
    const bytes = Buffer.from(this.#bytes.subarray(this.#at, end));
    if (this.#bytes.toString("latin1", end, end + 2) !== "\r\n")
      throw new NotResp("a bulk string is not followed by CRLF");
    this.#at = end + 2;
    return bytes;
  }
}

function isIn<T extends object>(key: string, table: T): key is Extract<keyof T, string> {
  return Object.hasOwn(table, key);
}

export type Argument = string | number | bigint | Uint8Array;

/** A request as a multibulk; strings go as UTF-8. */
export function encodeRequest(args: readonly Argument[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = arg instanceof Uint8Array ? arg : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

/** Bytes in the notation of redis-cli: printable ASCII as it is, the rest escaped. */
export function printable(bytes: Uint8Array, limit = 300): string {
  let text = "";
  for (const byte of bytes.subarray(0, limit)) {
    if (byte === 13) text += "\\r";
    else if (byte === 10) text += "\\n";
    else if (byte === 34 || byte === 92) text += `\\${String.fromCharCode(byte)}`;
    else if (byte >= 32 && byte < 127) text += String.fromCharCode(byte);
    else text += `\\x${byte.toString(16).padStart(2, "0")}`;
  }
  return bytes.length > limit ? `${text}… (${bytes.length} bytes)` : text;
}

/** A request in the notation of redis-cli. */
export function printRequest(args: readonly Argument[]): string {
  return args
    .map((arg) => `"${printable(arg instanceof Uint8Array ? arg : Buffer.from(String(arg)), 80)}"`)
    .join(" ");
}

/** A reply's tree as plain JavaScript, for assertions: bulk strings as text, maps as arrays of pairs. */
export type Plain = string | number | boolean | null | readonly Plain[];

export function plain(value: Value): Plain {
  switch (value.kind) {
    case "simple":
    case "double":
    case "big":
      return value.text;
    case "error":
      return `-${value.text}`;
    case "integer":
      return Number(value.text);
    case "boolean":
      return value.text === "t";
    case "bulk":
      return value.bytes.toString();
    case "bulkError":
      return `-${value.bytes.toString()}`;
    case "verbatim":
      return value.bytes.subarray(4).toString();
    case "array":
    case "set":
    case "push":
      return value.items.map(plain);
    case "map":
    case "attribute":
      return value.pairs.map(([key, item]) => [plain(key), plain(item)]);
    case "null":
      return null;
    default:
      return value satisfies never;
  }
}
