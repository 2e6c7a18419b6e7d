// The best keys to evict seen so far: looking at a few keys each time and keeping the best of all that were looked at
// comes near to knowing the best of all keys. (Redis's pool of candidates.)
//
//   candidate (24 bytes): | score f64 | hash u64 | slot u32 | database u32 |     by score, the best last
//
// A key is known by its hash alone. It may be gone when its turn comes; two keys of one hash are so rare that taking the
// one for the other does not matter.

const ROOM: u32 = 16;
const SIZE: u32 = 24;
const POOL: usize = memory.data(384);

let count: u32 = 0;

export abstract class Candidate {
  @inline static score(at: usize): f64 {
    return load<f64>(at);
  }
  @inline static hash(at: usize): u64 {
    return load<u64>(at, 8);
  }
  @inline static slot(at: usize): u32 {
    return load<u32>(at, 16);
  }
  @inline static database(at: usize): u32 {
    return load<u32>(at, 20);
  }
}

/** Adds a candidate if it is better than the worst, or there is room. */
export function offerCandidate(score: f64, hash: u64, slot: u32, database: u32): void {
  let place = count;
  while (place > 0 && Candidate.score(POOL + (place - 1) * SIZE) >= score) place--;
  if (count == ROOM) {
    if (place == 0) return;
    // The worst gives way.
    place--;
    memory.copy(POOL, POOL + SIZE, place * SIZE);
  } else {
    memory.copy(POOL + (place + 1) * SIZE, POOL + place * SIZE, (count - place) * SIZE);
    count++;
  }
  const at = POOL + place * SIZE;
  store<f64>(at, score);
  store<u64>(at, hash, 8);
  store<u32>(at, slot, 16);
  store<u32>(at, database, 20);
}

/** Whether a key that scores so would be taken in. */
export function isCandidate(score: f64): bool {
  return count < ROOM || score > Candidate.score(POOL);
}

/** Takes the best candidate out, good until the next call; 0 = there is none. */
export function takeCandidate(): usize {
  return count == 0 ? 0 : POOL + --count * SIZE;
}

/** Forgets all: what scores mean has changed. */
export function forgetCandidates(): void {
  count = 0;
}
