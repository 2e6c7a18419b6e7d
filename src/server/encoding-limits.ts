// How large the small encodings of collections may grow: directives the engine reads from its state block.
import * as abi from "../../assembly/abi.ts";
import type { Memory } from "../engine/memory.ts";
import type { Config } from "./config/config.ts";

const PLACES = [
  ["list-max-listpack-size", abi.STATE_LIST_MAX_LISTPACK_SIZE],
  ["list-compress-depth", abi.STATE_LIST_COMPRESS_DEPTH],
  ["hash-max-listpack-entries", abi.STATE_HASH_MAX_ENTRIES],
  ["hash-max-listpack-value", abi.STATE_HASH_MAX_VALUE],
  ["set-max-intset-entries", abi.STATE_SET_MAX_INTSET],
  ["zset-max-listpack-entries", abi.STATE_ZSET_MAX_ENTRIES],
  ["zset-max-listpack-value", abi.STATE_ZSET_MAX_VALUE],
] as const;

const INT_MAX = 0x7fffffff;

export function watchEncodingLimits(config: Config, memory: Memory): void {
  for (const [name, place] of PLACES)
    config.watch(name, (limit) => memory.setU32(place, Math.min(limit, INT_MAX)));
}
