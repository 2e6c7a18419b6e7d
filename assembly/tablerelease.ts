// Giving back all that a hashtable holds, in steps of any size: from its last bucket to its first, which the record
// counts down, so that a step needs to remember nothing. Nobody looks into such a table any more.
import { Bucket, SEGMENTED, bucketAt } from "./bucket";
import { releaseBuckets, releaseRoom } from "./bucketroom";
import { free } from "./heap";
import { TableRecord } from "./tablerecord";

/** Frees an element with all it holds. */
type Give = (element: usize) => void;

/**
 * Frees about `budget` elements; when the table has no buckets left, everything is given back.
 * @param give frees one of them
 * @returns how many elements were freed
 */
export function releaseElements(record: usize, budget: u32, give: Give): u32 {
  let freed: u32 = 0;
  while (freed < budget && TableRecord.buckets(record) != 0) {
    const last = TableRecord.buckets(record) - 1;
    freed += releaseChain(bucketAt(record, last), give);
    if (last == 0) {
      releaseBuckets(record);
      break;
    }
    TableRecord.setBuckets(record, last);
    if ((TableRecord.root(record) & SEGMENTED) != 0) releaseRoom(record, last);
  }
  return freed;
}

/** Frees the elements of a chain, and its lines but the first; returns how many elements there were. */
export function releaseChain(first: usize, give: Give): u32 {
  let freed: u32 = 0;
  for (let line = first; line != 0;) {
    for (let taken = Bucket.taken(line); taken != 0; taken &= taken - 1) {
      give(Bucket.entry(line, ctz(taken)));
      freed++;
    }
    const next = Bucket.next(line);
    if (line != first) free(line);
    line = next;
  }
  return freed;
}
