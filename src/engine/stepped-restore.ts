// A DUMP payload read in steps into a value nobody sees yet, so that one of a million elements holds nobody up: first its
// checksum, then its elements.
import {
  RDB_PAYLOAD_CHECKSUM,
  RDB_PAYLOAD_FOOTER,
  RDB_PAYLOAD_OTHER_TYPE,
  RDB_PAYLOAD_REJECTED,
  RDB_TYPE_STRING,
} from "../../assembly/rdbformat.ts";
import { PAYLOAD_REJECTED, ReplyError } from "../resp/errors.ts";
import type { Slice } from "../resp/reply.ts";
import { Incoming } from "./incoming.ts";
import type { Memory } from "./memory.ts";

const PAYLOAD_DAMAGED = new ReplyError("ERR Bad data format");
const PAYLOAD_OTHER_TYPE = new ReplyError(
  "ERR slotmesh holds neither streams nor modules' values; the payload is of such a type",
);

/** What stands before a value in a DUMP payload: its type. */
const HEAD = 1;
/** Bytes are summed up and strings copied faster than elements are read, so many times at least. */
const TEXT_PIECES = 4;
/** More than any string has. */
const WITHOUT_END = 0xffffffff;

export class SteppedRestore {
  /** Nothing is left but `take`. */
  isDone = false;
  /** Bytes of the payload that are summed up, and their checksum. */
  #summed = 0;
  #crc = 0n;
  /** The value, once the checksum has proved right; where it is read on. */
  #incoming: Incoming | undefined;
  #at = HEAD;
  /** It may be a long string. */
  #isText = false;
  #refusal: ReplyError | undefined;

  /**
   * @param payload both slices stay where they are until it is done
   * @param expireAtMs 0 = never
   */
  constructor(
    private readonly memory: Memory,
    private readonly key: Slice,
    private readonly payload: Slice,
    readonly expireAtMs: number,
  ) {}

  /**
   * Works on; throws nothing.
   * @param budgetBytes of elements to read, unless one alone is longer; of what is quicker to look at some times as many
   */
  more(budgetBytes: number): void {
    try {
      if (this.#incoming === undefined) this.#check(budgetBytes);
      else this.#read(this.#incoming, budgetBytes);
    } catch (error) {
      if (!(error instanceof ReplyError)) throw error;
      this.#refusal = error;
      this.isDone = true;
    }
  }

  /** The value, which is the caller's to store or abandon. Throws what RESTORE answers when there is none. */
  take(): Incoming {
    const incoming = this.#incoming;
    if (this.#refusal !== undefined) throw this.#refusal;
    if (!this.isDone || incoming === undefined) throw new Error("the payload is not read yet");
    this.#incoming = undefined;
    return incoming;
  }

  /** Gives up what was not taken. */
  close(): void {
    this.#incoming?.abandon();
    this.#incoming = undefined;
  }

  #check(budgetBytes: number): void {
    const { payload, memory } = this;
    const length = Math.min(
      Math.max(payload.length - RDB_PAYLOAD_CHECKSUM, 0) - this.#summed,
      budgetBytes * TEXT_PIECES,
    );
    this.#crc = memory.wasm.crc64(this.#crc, payload.ptr + this.#summed, length);
    this.#summed += length;
    if (this.#summed < payload.length - RDB_PAYLOAD_CHECKSUM) return;
    const outcome = memory.wasm.rdbCheckPayload(payload.ptr, payload.length, this.#crc);
    if (outcome === RDB_PAYLOAD_REJECTED) throw PAYLOAD_REJECTED;
    if (outcome < 0) throw PAYLOAD_DAMAGED;
    const incoming = new Incoming(memory, refuseRestore);
    incoming.open(this.key, outcome, this.expireAtMs, true);
    this.#incoming = incoming;
    this.#isText = outcome === RDB_TYPE_STRING;
  }

  #read(incoming: Incoming, budgetBytes: number): void {
    const { payload } = this;
    const left = payload.length - RDB_PAYLOAD_FOOTER - this.#at;
    const rest = { ptr: payload.ptr + this.#at, length: left };
    // All of a string must be there to be read, so a long one takes no notice of how much that is.
    if (this.#isText && incoming.readLong(rest, Math.min(budgetBytes * TEXT_PIECES, WITHOUT_END))) {
      this.isDone = incoming.needed === 0;
      return;
    }
    this.#isText = false;
    const length = Math.min(left, Math.max(budgetBytes, incoming.needed));
    this.#at += incoming.read({ ptr: payload.ptr + this.#at, length });
    this.isDone = incoming.needed === 0;
    // What is missing does not come any more; without elements it is no value. Bytes behind its end do not matter.
    if (incoming.isEmpty || (!this.isDone && length === left)) incoming.refuseAsDamaged();
  }
}

function refuseRestore(code: number): never {
  throw code === RDB_PAYLOAD_OTHER_TYPE ? PAYLOAD_OTHER_TYPE : PAYLOAD_DAMAGED;
}
