// MIGRATE between simulated nodes: the source sends what it holds, the target stores it, the source deletes what was
// acknowledged and tells its replicas. Other requests go on meanwhile; writes to the keys under way wait.
import { isMaster } from "../../src/cluster/node.ts";
import { refusalText, route } from "../../src/cluster/route.ts";
import { plainRequest } from "./requests.ts";
import type { Script } from "./script.ts";
import type { SimNode } from "./sim-node.ts";
import type { World } from "./world.ts";

const BUSY = "BUSYKEY Target key name already exists.";
const NO_ANSWER = "IOERR error or timeout reading to target instance";
const TIMEOUT_MS = 1000;
const HELD_MS = 5;

export interface Migration {
  readonly source: SimNode;
  readonly target: SimNode;
  readonly slot: number;
  readonly keys: readonly string[];
  readonly replace: boolean;
}

/** Runs at the source, once the request is there. @returns the answer */
export function* migrate(world: World, migration: Migration): Script<string> {
  const { source, slot } = migration;
  const { incarnation } = source;
  const isUp = () => source.running && source.incarnation === incarnation;
  while (migration.keys.some((key) => source.sending.has(key)) || source.writesPaused) {
    yield HELD_MS;
    if (!isUp()) return NO_ANSWER;
  }
  const request = plainRequest(source, slot, { keys: migration.keys, migrate: true });
  const refusal = refusalText(route(source.machine.state, request));
  if (refusal !== undefined) return refusal;
  const keys = migration.keys.filter((key) => source.keys.has(slot, key));
  if (keys.length === 0) return "NOKEY";
  for (const key of keys) source.sending.add(key);
  const errors = yield* send(world, migration, keys);
  while (isUp() && !source.awake) yield HELD_MS;
  if (!isUp()) return NO_ANSWER;
  for (const key of keys) source.sending.delete(key);
  if (errors === undefined) return NO_ANSWER;
  for (const [n, key] of keys.entries()) {
    if (errors[n] !== undefined || !isMaster(source.machine.state.myself)) continue;
    world.replication.write(source, { slot, key, version: undefined });
  }
  const error = errors.find((text) => text !== undefined);
  return error === undefined ? "OK" : `ERR Target instance replied with error: ${error}`;
}

/** @returns for each key why it was not stored, if it was not; undefined = nobody answered */
function* send(
  world: World,
  migration: Migration,
  keys: readonly string[],
): Script<readonly (string | undefined)[] | undefined> {
  const { source, target, slot, replace } = migration;
  const versions = keys.map((key) => source.keys.get(slot, key)!);
  if (!world.wires.reach(source, target)) {
    yield TIMEOUT_MS;
    return undefined;
  }
  yield world.wires.delay();
  if (!target.awake) {
    yield TIMEOUT_MS;
    return undefined;
  }
  const { incarnation } = target;
  const errors = keys.map((key, n) => store(world, target, slot, key, versions[n]!, replace));
  yield world.wires.delay();
  const isHeard = target.incarnation === incarnation && target.running && world.wires.reaches(target, source);
  return isHeard ? errors : undefined;
}

/** RESTORE-ASKING. */
function store(
  world: World,
  target: SimNode,
  slot: number,
  key: string,
  version: number,
  replace: boolean,
): string | undefined {
  const request = plainRequest(target, slot, { keys: [key], asking: true });
  const refusal = refusalText(route(target.machine.state, request));
  if (refusal !== undefined) return refusal;
  if (target.keys.has(slot, key) && !replace) return BUSY;
  world.ledger.arrived(target, slot, key);
  world.replication.write(target, { slot, key, version });
  return undefined;
}
