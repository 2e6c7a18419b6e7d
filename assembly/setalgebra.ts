// What several sets make together, member by member.
//
// A member found goes to one of three places: into the reply, into a set in the making, or it is only counted.
//   intersection   the members of the smallest set that all others have
//   union          all of them: made in a set, which drops what comes again
//   difference     the members of the first that no other has; or, when the others are small beside the first times
//                  their number, the first without the members of the others
import { SetBuild } from "./setbuild";
import { Sets } from "./setgather";
import { replyMember } from "./setmember";
import { hasMember } from "./setvalue";
import { SetWalk } from "./setwalk";

export const INTO_REPLY: u32 = 0;
export const INTO_SET: u32 = 1;
export const INTO_NOTHING: u32 = 2;

/** Members found by the last operation that did not go into a set. */
export let foundMembers: u32 = 0;

/** Passes the member at hand on; false = no memory. */
function pass(to: u32): bool {
  foundMembers++;
  if (to == INTO_REPLY) return replyMember();
  return to == INTO_NOTHING || SetBuild.add();
}

/** Passes the members common to all sets on, `limit` at most; false = no memory. */
export function intersect(to: u32, limit: u32): bool {
  foundMembers = 0;
  const least = Sets.smallest();
  if (least == 0) return true;
  for (let place = SetWalk.first(least); place != 0; place = SetWalk.next(least, place)) {
    if (!isInAll(least)) continue;
    if (!pass(to)) return false;
    if (foundMembers == limit) break;
  }
  return true;
}

/** Whether all sets but `own` have the member at hand. */
function isInAll(own: usize): bool {
  for (let i: u32 = 0; i < Sets.count(); i++) {
    if (Sets.at(i) != own && !hasMember(Sets.at(i))) return false;
  }
  return true;
}

/** Makes a set of the members of all; false = no memory. */
export function unite(): bool {
  for (let i: u32 = 0; i < Sets.count(); i++) {
    if (!addAll(Sets.at(i))) return false;
  }
  return true;
}

function addAll(set: usize): bool {
  if (set == 0) return true;
  for (let place = SetWalk.first(set); place != 0; place = SetWalk.next(set, place)) {
    if (!SetBuild.add()) return false;
  }
  return true;
}

/** Whether the first set's members are to be looked for in the others, and not the other way round. */
export function isFirstSmall(): bool {
  return (<u64>Sets.size(0) * Sets.present()) >> 1 <= Sets.total();
}

/** Passes on what the first set has and no other; false = no memory. */
export function subtractEach(to: u32): bool {
  foundMembers = 0;
  const first = Sets.at(0);
  if (first == 0) return true;
  for (let place = SetWalk.first(first); place != 0; place = SetWalk.next(first, place)) {
    if (!isInOthers() && !pass(to)) return false;
  }
  return true;
}

/** Whether a set but the first has the member at hand. */
function isInOthers(): bool {
  for (let i: u32 = 1; i < Sets.count(); i++) {
    if (Sets.at(i) != 0 && hasMember(Sets.at(i))) return true;
  }
  return false;
}

/** Makes a set of the first set's members and takes those of the others out of it; false = no memory. */
export function subtractAll(): bool {
  if (Sets.at(0) == 0) return true;
  if (!addAll(Sets.at(0))) return false;
  for (let i: u32 = 1; i < Sets.count() && SetBuild.count() != 0; i++) {
    const set = Sets.at(i);
    if (set == 0) continue;
    for (let place = SetWalk.first(set); place != 0; place = SetWalk.next(set, place)) SetBuild.remove();
  }
  return true;
}
