// Which history a data set is part of. Two servers that share a replication id and an offset hold the same data; a
// promoted replica starts a new id and still answers for the old one up to where it left it.

/** A replication id nobody has: 40 zeros. */
export const NO_ID = "0".repeat(40);

/** Beyond this no offset is believed: as much again can be counted on from here before a double is inexact. */
const LARGEST_OFFSET = 2 ** 52;

/** Whether a number somebody names can be how many bytes a history has. */
export function isOffset(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= LARGEST_OFFSET;
}

/** Whether a text can be a replication id. */
export function isReplId(text: string): boolean {
  return /^[0-9a-f]{40}$/i.test(text);
}

export class History {
  replId: string;
  /** The id this server's data had before, valid below `secondOffset`. */
  replId2 = NO_ID;
  /** First PSYNC offset that `replId2` does not answer for any more; -1 = there is no second id. */
  secondOffset = -1;

  /** @param replId 40 hexadecimal digits */
  constructor(replId: string) {
    this.replId = replId;
  }

  /** Writes made from here on belong to nobody else's history. */
  renew(replId: string): void {
    this.replId = replId;
    this.replId2 = NO_ID;
    this.secondOffset = -1;
  }

  /**
   * The id changes while the data goes on: by promotion, or because the master above was promoted.
   * @param offset bytes of the old history this server has
   */
  shift(replId: string, offset: number): void {
    this.replId2 = this.replId;
    // +1: a replica asks for the first byte it lacks, counted from one.
    this.secondOffset = offset + 1;
    this.replId = replId;
  }
}
