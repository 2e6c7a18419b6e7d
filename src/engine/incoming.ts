// A value on its way into the keyspace from its RDB form. The engine builds it out of sight, from pieces that may end
// anywhere, so that it need not be in memory twice; stored, it takes its key's place in one step.
import { REFUSED_OUT_OF_MEMORY, STATE_RESULT_LENGTH, STATE_RESULT_NUMBER } from "../../assembly/abi.ts";
import {
  RDB_PAYLOAD_DAMAGED,
  RDB_VALUE_EMPTY,
  RDB_VALUE_OPEN,
  RDB_VALUE_SHORT,
  RDB_VALUE_WHOLE,
} from "../../assembly/rdbformat.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import type { Slice } from "../resp/reply.ts";
import type { Memory } from "./memory.ts";

/** Bytes brought into linear memory at a time, unless one element is longer: few at first, most values are small. */
const FIRST_WINDOW = 512;
const WINDOW = 65536;

export class Incoming {
  /** How many bytes it must see at once to go on; 0 = it is whole. */
  needed = 1;
  /** It turned out to be a collection without elements, and cannot be stored. */
  isEmpty = false;
  #window = FIRST_WINDOW;
  /** 0 = there is none any more. */
  #value = 0;

  constructor(
    private readonly memory: Memory,
    /** Throws for a RDB_PAYLOAD_ code. */
    private readonly refuse: (code: number) => never,
  ) {}

  open(key: Slice, type: number, expireAtMs: number, isKept: boolean): void {
    const { wasm } = this.memory;
    this.#check(wasm.rdbOpen(type, key.ptr, key.length, expireAtMs, isKept));
    this.#value = this.memory.result().ptr;
  }

  /** Takes bytes of JavaScript's from the front; returns how many. Throws what `refuse` does, and OUT_OF_MEMORY. */
  feed(bytes: Uint8Array): number {
    let taken = 0;
    while (this.needed > 0 && bytes.length - taken >= this.needed) {
      const piece = bytes.subarray(taken, taken + Math.max(this.#window, this.needed));
      this.#window = Math.min(this.#window * 4, WINDOW);
      const ptr = this.memory.alloc(piece.length);
      this.memory.bytes.set(piece, ptr);
      try {
        taken += this.#feed({ ptr, length: piece.length });
      } finally {
        this.memory.free(ptr);
      }
    }
    return taken;
  }

  /** As `feed`, of bytes in linear memory. */
  read(bytes: Slice): number {
    return this.#feed(bytes);
  }

  /**
   * Reads on in a string, all of which lies in linear memory, if it is a long one; false = it is none, nothing is read.
   * @param budgetBytes of the string itself
   */
  readLong({ ptr, length }: Slice, budgetBytes: number): boolean {
    const outcome = this.memory.wasm.rdbFeedText(this.#value, ptr, length, budgetBytes);
    this.#check(outcome);
    if (outcome === RDB_VALUE_WHOLE) this.needed = 0;
    return outcome !== RDB_VALUE_SHORT;
  }

  /** Gives it up, as damaged bytes would; throws what `refuse` does. */
  refuseAsDamaged(): void {
    this.#check(RDB_PAYLOAD_DAMAGED);
  }

  /** Puts the value, which is whole, under its key, whatever that held. Throws OUT_OF_MEMORY. */
  store(database: number): void {
    this.#check(this.memory.wasm.rdbStore(this.#value, database));
    this.#value = 0;
  }

  /** Gives it up. */
  abandon(): void {
    if (this.#value !== 0) this.memory.wasm.rdbClose(this.#value);
    this.#value = 0;
  }

  #feed(bytes: Slice): number {
    const outcome = this.memory.wasm.rdbFeed(this.#value, bytes.ptr, bytes.length);
    this.#check(outcome);
    this.isEmpty = outcome === RDB_VALUE_EMPTY;
    const taken = this.memory.getU32(STATE_RESULT_LENGTH);
    this.needed =
      outcome !== RDB_VALUE_OPEN ? 0 : bytes.length - taken + this.memory.getF64(STATE_RESULT_NUMBER);
    return taken;
  }

  #check(outcome: number): void {
    if (outcome >= 0) return;
    this.abandon();
    if (outcome === REFUSED_OUT_OF_MEMORY) throw OUT_OF_MEMORY;
    this.refuse(outcome);
  }
}
