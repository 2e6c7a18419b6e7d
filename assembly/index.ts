// The whole ABI. Times and counts beyond 32 bits are f64, bytes are (ptr, length), pointers are unsigned.

// set-up and memory
export { init } from "./start";
export { beginAside, endAside, sparseBytes, takeMovedCount } from "./heapsparse";
export { beginDefrag, defrag } from "./defrag";
export { alloc, free, resize, sizeOf, usedBytes } from "./heap";
export { activeBytes, idleBytes, takeIdle } from "./heappages";
export { reserveReply, resetReply } from "./reply";
export { crc16, slotOf } from "./crc16";
// databases, slots, walks
export { databaseAverageTtl, databaseExpiring, databaseKeys, swapDatabases } from "./database";
export { flushDatabase, flushSlot, slotKeys } from "./flush";
export { forgetReleased, releaseWaiting, releasedObjects, waitingObjects } from "./lazyfree";
export { listSlot, scan } from "./scan";
export { randomKey } from "./randomkey";
export { lookAhead } from "./lookahead";
export { clearEvents, takeEvents } from "./events";
export { evict } from "./evict";
export { setEviction } from "./evictionrule";
export { expireCycle } from "./expirecycle";
// single keys, for handlers in TypeScript
export {
  clockOf,
  copyKey,
  frequencyNow,
  deleteKey,
  expireAtOf,
  memoryOf,
  moveKey,
  renameKey,
} from "./access";
export { setExpiry, setString, shapeOf, stringOf, typeOf } from "./access";
export { fieldOf, setField } from "./hashaccess";
export { collectionOf, freeElements, listElements, setList } from "./collection";
// faults
export { fault, inspect } from "./fault";
// values in RDB form
export { crc64 } from "./crc64";
export { rdbBeginSlot, rdbCheckPayload, rdbDump, rdbNextPiece } from "./rdb";
export { rdbDumpBegin, rdbDumpClose, rdbDumpMore, rdbDumpSmall } from "./rdbdump";
export { rdbClose, rdbFeed, rdbFeedText, rdbOpen, rdbStore } from "./rdbload";
export { digestAll, digestKey } from "./digest";
export { rdbExpand, setLongestString } from "./rdbread";
export { setRdbCompression } from "./rdbwrite";
// commands
export { get, set, setnx, strlen } from "./strings";
export { append, getrange, setrange } from "./ranges";
export { decr, decrby, incr, incrby } from "./counters";
export { del, exists, mget, mset, msetnx, touch } from "./manykeys";
export { dbsize, expiretime, persist, pexpiretime, pttl, ttl, type } from "./keys";
export { hdel, hmset, hset, hsetnx } from "./hashes";
export { hexists, hget, hlen, hmget, hstrlen } from "./hashread";
export { hgetall, hkeys, hvals } from "./hashwhole";
export { hincrby } from "./hashcounter";
export { hrandfield } from "./hashrandom";
export { hscan } from "./hashscan";
export { llen, lpop, lpush, lpushx, rpop, rpush, rpushx } from "./lists";
export { lpos } from "./listpos";
export { lindex, lrange } from "./listread";
export { linsert, lrem, lset, ltrim } from "./listwrite";
export { lmove, lmpop, rpoplpush } from "./listmove";
export { zadd, zincrby, zrem } from "./zsets";
export { zcard, zcount, zlexcount, zmscore, zrank, zrevrank, zscore } from "./zsetread";
export {
  zrange,
  zrangebylex,
  zrangebyscore,
  zrangestore,
  zremrangebylex,
  zremrangebyrank,
  zremrangebyscore,
  zrevrange,
  zrevrangebylex,
  zrevrangebyscore,
} from "./zsetrange";
export { zmpop, zpopmax, zpopmin } from "./zsetpop";
export { zrandmember } from "./zsetrandom";
export { zdiff, zdiffstore, zinter, zintercard, zinterstore, zunion, zunionstore } from "./zsetops";
export { zscan } from "./zsetscan";
export { sadd, scard, sismember, smembers, smismember, smove, srem } from "./sets";
export { sdiff, sdiffstore, sinter, sintercard, sinterstore, sunion, sunionstore } from "./setops";
export { srandmember } from "./setrandom";
export { spop } from "./setpop";
export { sscan } from "./setscan";
