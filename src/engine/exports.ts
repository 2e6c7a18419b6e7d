// The engine's exports, typed. Pointers and other 32-bit results come back signed: take `>>> 0`.

/** Reads the argv table, appends its reply, returns changes or a REFUSED_ code. */
export type EngineRun = () => number;

export interface Exports {
  readonly memory: WebAssembly.Memory;
  /** Once, before all else; 128 random bits as the seed of the hashtables. */
  init(a: number, b: number, c: number, d: number): void;
  alloc(length: number): number;
  resize(ptr: number, keep: number, length: number): number;
  free(ptr: number): void;
  sizeOf(ptr: number): number;
  usedBytes(): number;
  activeBytes(): number;
  idleBytes(): number;
  takeIdle(limit: number): number;
  sparseBytes(): number;
  beginAside(): number;
  endAside(): void;
  takeMovedCount(): number;
  beginDefrag(): void;
  defrag(budget: number): number;
  reserveReply(length: number): number;
  resetReply(): void;
  crc16(ptr: number, length: number): number;
  slotOf(ptr: number, length: number): number;
  databaseKeys(database: number): number;
  databaseExpiring(database: number): number;
  databaseAverageTtl(database: number): number;
  swapDatabases(a: number, b: number): void;
  flushDatabase(database: number): number;
  flushSlot(slot: number): number;
  slotKeys(slot: number): number;
  releaseWaiting(budget: number): number;
  waitingObjects(): number;
  releasedObjects(): number;
  forgetReleased(): void;
  listSlot(slot: number, limit: number): number;
  scan(slot: number, place: number, budget: number): number;
  randomKey(seed: number): number;
  lookAhead(from: number, end: number): number;
  takeEvents(): void;
  clearEvents(): void;
  expireCycle(budget: number): number;
  // Single keys; `how` = a HOW_ constant.
  typeOf(key: number, length: number, how: number): number;
  shapeOf(key: number, length: number, how: number): number;
  stringOf(key: number, length: number, how: number): number;
  setString(
    key: number,
    keyLength: number,
    value: number,
    length: number,
    expireAtMs: number,
    isPlain: boolean,
  ): number;
  deleteKey(key: number, length: number): number;
  expireAtOf(key: number, length: number, how: number): number;
  setExpiry(key: number, length: number, atMs: number): number;
  renameKey(from: number, fromLength: number, to: number, toLength: number): number;
  moveKey(key: number, length: number, database: number): number;
  copyKey(from: number, fromLength: number, database: number, to: number, toLength: number): number;
  setEviction(rule: number, onlyVolatile: boolean, samples: number): void;
  evict(ceiling: number, steps: number): number;
  frequencyNow(clock: number): number;
  clockOf(key: number, length: number): number;
  memoryOf(key: number, length: number, samples: number): number;
  fieldOf(key: number, length: number, field: number, fieldLength: number): number;
  setField(
    key: number,
    keyLength: number,
    field: number,
    fieldLength: number,
    value: number,
    length: number,
  ): number;
  /** Type and number of elements (STATE_RESULT_NUMBER) of a list, set or sorted set. */
  collectionOf(key: number, length: number): number;
  listElements(key: number, length: number, from: number, count: number): number;
  freeElements(): void;
  setList(key: number, length: number, elements: number, bytes: number): number;
  /** `kind` = a FAULT_ constant. */
  fault(kind: number): never;
  inspect(slot: number, key: number, length: number): number;
  // Values in RDB form.
  crc64(crc: bigint, ptr: number, length: number): bigint;
  setRdbCompression(isOn: boolean): void;
  setLongestString(bytes: number): void;
  rdbBeginSlot(database: number, slot: number): void;
  rdbNextPiece(enough: number): number;
  rdbDump(key: number, length: number, how: number): number;
  rdbDumpSmall(slot: number, key: number, length: number): number;
  rdbDumpBegin(slot: number, key: number, length: number): number;
  rdbDumpMore(dump: number, enough: number): number;
  rdbDumpClose(dump: number): void;
  rdbCheckPayload(ptr: number, length: number, crc: bigint): number;
  rdbOpen(type: number, key: number, length: number, expireAtMs: number, isKept: boolean): number;
  rdbFeed(value: number, ptr: number, length: number): number;
  rdbFeedText(value: number, ptr: number, length: number, budget: number): number;
  rdbStore(value: number, database: number): number;
  rdbClose(value: number): void;
  digestAll(): void;
  digestKey(key: number, length: number): void;
  rdbExpand(ptr: number, packed: number, length: number): number;
}

/** Names of the commands the engine runs by itself. */
const names = [
  "append",
  "dbsize",
  "decr",
  "decrby",
  "del",
  "exists",
  "expiretime",
  "get",
  "getrange",
  "hdel",
  "hexists",
  "hget",
  "hgetall",
  "hincrby",
  "hkeys",
  "hlen",
  "hmget",
  "hmset",
  "hrandfield",
  "hscan",
  "hset",
  "hsetnx",
  "hstrlen",
  "hvals",
  "incr",
  "incrby",
  "lindex",
  "linsert",
  "llen",
  "lmove",
  "lmpop",
  "lpop",
  "lpos",
  "lpush",
  "lpushx",
  "lrange",
  "lrem",
  "lset",
  "ltrim",
  "mget",
  "mset",
  "msetnx",
  "persist",
  "pexpiretime",
  "pttl",
  "rpop",
  "rpoplpush",
  "rpush",
  "rpushx",
  "sadd",
  "scard",
  "sdiff",
  "sdiffstore",
  "set",
  "setnx",
  "setrange",
  "sinter",
  "sintercard",
  "sinterstore",
  "sismember",
  "smembers",
  "smismember",
  "smove",
  "spop",
  "srandmember",
  "srem",
  "sscan",
  "strlen",
  "sunion",
  "sunionstore",
  "touch",
  "ttl",
  "type",
  "zadd",
  "zcard",
  "zcount",
  "zdiff",
  "zdiffstore",
  "zincrby",
  "zinter",
  "zintercard",
  "zinterstore",
  "zlexcount",
  "zmpop",
  "zmscore",
  "zpopmax",
  "zpopmin",
  "zrandmember",
  "zrange",
  "zrangebylex",
  "zrangebyscore",
  "zrangestore",
  "zrank",
  "zrem",
  "zremrangebylex",
  "zremrangebyrank",
  "zremrangebyscore",
  "zrevrange",
  "zrevrangebylex",
  "zrevrangebyscore",
  "zrevrank",
  "zscan",
  "zscore",
  "zunion",
  "zunionstore",
] as const;

export type EngineName = (typeof names)[number];

/** What a row of the command table holds in `run` when the engine runs the command. */
export interface EngineCommand {
  readonly export: EngineName;
}

type CommandExports = { readonly [name in EngineName]: EngineRun };

/** `run: engine.get` in a row; the server binds it to its own instance with `bindCommand`. */
export const engine = Object.fromEntries(names.map((name) => [name, { export: name }])) as {
  readonly [name in EngineName]: EngineCommand;
};

/** The function of one instance behind a row: `bindCommand(memory.wasm, row.run)`. */
export function bindCommand(wasm: Exports, command: EngineCommand): EngineRun {
  return (wasm as unknown as CommandExports)[command.export];
}
