// A request's arguments from JavaScript's own strings, for judging handlers without an engine.
export class TextArgs {
  constructor(readonly words: readonly string[]) {}

  get count(): number {
    return this.words.length;
  }

  is(index: number, word: string): boolean {
    return this.text(index).toUpperCase() === word;
  }

  integer(index: number): bigint | undefined {
    const text = this.text(index);
    return /^(0|-?[1-9]\d{0,17})$/.test(text) ? BigInt(text) : undefined;
  }

  text(index: number): string {
    return this.words[index] ?? "";
  }

  latin1(index: number): string {
    return this.text(index);
  }

  bytes(index: number): Uint8Array {
    return Buffer.from(this.text(index));
  }
}

/** An arena of JavaScript memory. */
export class TextArena {
  bytes = new Uint8Array(1024);
  end = 0;

  reserve(length: number): void {
    if (this.end + length <= this.bytes.length) return;
    const larger = new Uint8Array((this.end + length) * 2);
    larger.set(this.bytes.subarray(0, this.end));
    this.bytes = larger;
  }
}
