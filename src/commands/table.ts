// The command table: families flattened into rows with dense ids, and what each request asks of its row laid out in
// arrays of numbers. A row is found from the name's bytes where the decoder left them: no string is made.
//
// One open-addressing array serves commands and subcommands: a subcommand's hash includes its container's id. The hash
// folds letters by setting bit 5, which also joins a few other characters; equality is then decided byte by byte.
import { lowerAscii } from "./ascii.ts";
import { bitsOf } from "./flags.ts";
import type { Family } from "./family.ts";
import { isMovable, rangeOf } from "./keyspec.ts";
import type { Command, Group } from "./row.ts";

/** `lookup`'s answer when there is no such row. */
export const UNKNOWN = -1;

export interface Row {
  /** Dense: index into every array of the table. */
  readonly id: number;
  readonly command: Command;
  readonly group: Group;
  /** As COMMAND INFO prints it: `get`, `client|kill`. */
  readonly fullName: string;
  readonly container: Row | undefined;
  readonly subcommands: readonly Row[];
}

export class CommandTable {
  /** By id: every command and subcommand. */
  readonly rows: readonly Row[];
  /** Commands only. */
  readonly commands: readonly Row[];
  /** Bits of flags.ts. */
  readonly flags: Uint32Array;
  readonly arity: Int16Array;
  /** COMMAND INFO's fields; `lastKey` may count from the end. */
  readonly firstKey: Int16Array;
  readonly lastKey: Int16Array;
  readonly keyStep: Int16Array;
  /** 1 = the three numbers above tell all keys: routing needs no key specs. */
  readonly hasPlainKeys: Uint8Array;
  /** 1 = the next argument names one of its subcommands. */
  readonly isContainer: Uint8Array;

  readonly #byName = new Map<string, Row>();
  /** Names behind one another in lower case, and where each row's begins. */
  readonly #names: Uint8Array;
  readonly #nameStart: Uint32Array;
  /** Per byte of #names what folds case: 32 for a letter, 0 for what must be equal as it is. */
  readonly #folds: Uint8Array;
  readonly #parent: Int16Array;
  /** Row id + 1; 0 = free. Its size is a power of two, at least four times the rows. */
  readonly #index: Uint16Array;
  /** The command resolved last. */
  #last = 0;

  constructor(families: readonly Family[]) {
    const rows: Row[] = [];
    for (const { group, rows: commands } of families) {
      for (const command of commands) addRow(rows, command, group, undefined);
    }
    this.rows = rows;
    this.commands = rows.filter((row) => row.container === undefined);
    this.flags = Uint32Array.from(rows, (row) => bitsOf(row.command.flags));
    this.arity = Int16Array.from(rows, (row) => row.command.arity);
    const ranges = rows.map((row) => rangeOf(row.command.keys ?? []));
    this.firstKey = Int16Array.from(ranges, (range) => range.first);
    this.lastKey = Int16Array.from(ranges, (range) => range.last);
    this.keyStep = Int16Array.from(ranges, (range) => range.step);
    this.hasPlainKeys = Uint8Array.from(rows, ({ command }) => (hasPlainKeys(command) ? 1 : 0));
    this.isContainer = Uint8Array.from(rows, (row) => (row.subcommands.length > 0 ? 1 : 0));
    this.#names = new TextEncoder().encode(rows.map((row) => row.command.name).join(""));
    this.#parent = Int16Array.from(rows, (row) => row.container?.id ?? UNKNOWN);
    this.#folds = this.#names.map((byte) => (byte >= 97 && byte <= 122 ? 32 : 0));
    this.#nameStart = new Uint32Array(rows.length + 1);
    for (const { id, command } of rows) this.#nameStart[id + 1] = this.#nameStart[id]! + command.name.length;
    this.#index = new Uint16Array(2 ** Math.ceil(Math.log2(rows.length * 4 + 1)));
    for (const row of rows) this.#enter(row);
  }

  /**
   * The row of a command, or of a container's subcommand, whose name lies at `ptr`.
   * @param container id of the container; UNKNOWN = a command is meant
   * @returns its id, or UNKNOWN
   */
  lookup(bytes: Uint8Array, ptr: number, length: number, container = UNKNOWN): number {
    const mask = this.#index.length - 1;
    for (let at = hashOf(bytes, ptr, length, container) & mask; ; at = (at + 1) & mask) {
      const id = this.#index[at]! - 1;
      if (id === UNKNOWN) return UNKNOWN;
      if (this.#parent[id] === container && this.#isNamed(id, bytes, ptr, length)) return id;
    }
  }

  /**
   * The row a request runs: its command's, or its subcommand's.
   * @param argv the argv table as 32-bit words: address and length per argument, from `at` on
   * @returns its id; UNKNOWN when the command or the subcommand is not known (see `refusal.ts`)
   */
  resolve(bytes: Uint8Array, argv: Uint32Array, at: number, count: number): number {
    const ptr = argv[at]!;
    const length = argv[at + 1]!;
    // In a pipeline the command is nearly always that of the request before.
    if (!this.#isNamed(this.#last, bytes, ptr, length)) {
      const found = this.lookup(bytes, ptr, length);
      if (found === UNKNOWN) return UNKNOWN;
      this.#last = found;
    }
    const id = this.#last;
    if (count === 1 || this.isContainer[id] === 0) return id;
    return this.lookup(bytes, argv[at + 2]!, argv[at + 3]!, id);
  }

  /** Whether a request of `count` arguments, name included, is long enough for the row, and not too long. */
  acceptsCount(id: number, count: number): boolean {
    const arity = this.arity[id]!;
    return arity >= 0 ? count === arity : count >= -arity;
  }

  /** By full name in any case, `client|kill` for a subcommand. */
  named(fullName: string): Row | undefined {
    return this.#byName.get(lowerAscii(fullName));
  }

  #enter(row: Row): void {
    if (this.#byName.has(row.fullName)) throw new Error(`two rows are named ${row.fullName}`);
    this.#byName.set(row.fullName, row);
    const { length } = row.command.name;
    const mask = this.#index.length - 1;
    let at = hashOf(this.#names, this.#nameStart[row.id]!, length, row.container?.id ?? UNKNOWN) & mask;
    while (this.#index[at] !== 0) at = (at + 1) & mask;
    this.#index[at] = row.id + 1;
  }

  #isNamed(id: number, bytes: Uint8Array, ptr: number, length: number): boolean {
    const names = this.#names;
    const folds = this.#folds;
    const start = this.#nameStart[id]!;
    if (this.#nameStart[id + 1]! - start !== length) return false;
    for (let i = 0; i < length; i++) {
      if ((bytes[ptr + i]! | folds[start + i]!) !== names[start + i]) return false;
    }
    return true;
  }
}

function addRow(rows: Row[], command: Command, group: Group, container: Row | undefined): Row {
  const fullName = container === undefined ? command.name : `${container.fullName}|${command.name}`;
  const subcommands: Row[] = [];
  const row: Row = { id: rows.length, command, group, fullName, container, subcommands };
  rows.push(row);
  for (const sub of command.subcommands ?? []) subcommands.push(addRow(rows, sub, group, row));
  return row;
}

function hasPlainKeys({ keys = [] }: Command): boolean {
  if (isMovable(keys)) return false;
  // Several specs are plain when the joined range has no gap and no step: then it covers each of them.
  const { first, last } = rangeOf(keys);
  return keys.length < 2 || (last > 0 && last - first + 1 === keys.length);
}

/** From the length and four bytes, folded: as good as all bytes for names of commands, and of one cost for all. */
function hashOf(bytes: Uint8Array, ptr: number, length: number, container: number): number {
  if (length === 0) return 0;
  const last = ptr + length - 1;
  const first = (bytes[ptr]! | 32) + ((bytes[ptr + (length >> 2)]! | 32) << 8);
  const second = (bytes[ptr + (length >> 1)]! | 32) + ((bytes[last]! | 32) << 8);
  const hash = Math.imul(
    first ^ (second << 16) ^ Math.imul(length + (container << 6), 0x85ebca6b),
    0x9e3779b1,
  );
  return hash ^ (hash >>> 15);
}
