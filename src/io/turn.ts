// What is sent during one turn of the event loop, written when every socket that was readable has been read. The first
// write wakes its peer, and by the time that has been scheduled the others' bytes are on their way too: under load
// many peers share one waking, which costs more than the write itself.
//
// A peer that talks alone would only wait for the end of the turn: while there is but one, its bytes are not taken, and
// once in a while a turn is gathered to see whether that still holds.

/** Where gathered bytes go in the end. */
export interface Outlet {
  /** Writes the bytes in [from, to); the caller may reuse them. */
  write(bytes: Uint8Array, from: number, to: number): void;
}

const ROOM_BYTES = 262_144;
/** Longer runs are not worth copying. */
const LONG_BYTES = 16_384;
/** Shorter ones are copied one by one: a view, which copying many at once takes, is an object for each reply. */
const SHORT_BYTES = 128;
/** So many sends go out at once before the next turn is gathered to see who shares it. */
const ALONE_SENDS = 32;

export class Turn {
  readonly #bytes = new Uint8Array(ROOM_BYTES);
  /** Runs of bytes, one behind the other: whose each is, and where it ends. */
  readonly #outlets: Outlet[] = [];
  readonly #ends: number[] = [];
  #length = 0;
  /** The end of the turn is awaited. */
  #isOpen = false;
  #isShared = true;
  #aloneSends = 0;

  /** Takes bytes to be written at the end of the turn; false = the caller is to write them now. */
  take(outlet: Outlet, bytes: Uint8Array, from: number, to: number): boolean {
    if (!this.#isShared && !this.#isOpen && ++this.#aloneSends < ALONE_SENDS) return false;
    const length = to - from;
    if (length > LONG_BYTES) {
      this.flush();
      return false;
    }
    if (this.#length + length > ROOM_BYTES) this.flush();
    if (length > SHORT_BYTES) this.#bytes.set(bytes.subarray(from, to), this.#length);
    else for (let i = 0; i < length; i++) this.#bytes[this.#length + i] = bytes[from + i]!;
    this.#length += length;
    const last = this.#outlets.length - 1;
    if (last >= 0 && this.#outlets[last] === outlet) {
      this.#ends[last] = this.#length;
    } else {
      this.#outlets.push(outlet);
      this.#ends.push(this.#length);
    }
    if (!this.#isOpen) {
      this.#isOpen = true;
      setImmediate(this.#end);
    }
    return true;
  }

  /** Writes what was taken so far. Writing calls nobody back: a socket tells of its end in an event of its own. */
  flush(): void {
    if (this.#length === 0) return;
    const outlets = this.#outlets;
    let from = 0;
    for (let i = 0; i < outlets.length; i++) {
      const to = this.#ends[i]!;
      outlets[i]!.write(this.#bytes, from, to);
      from = to;
    }
    outlets.length = 0;
    this.#ends.length = 0;
    this.#length = 0;
  }

  readonly #end = (): void => {
    this.#isOpen = false;
    this.#isShared = this.#outlets.length > 1;
    this.#aloneSends = 0;
    this.flush();
  };
}

/** The turn of this process's one event loop. */
export const turn = new Turn();
