// SSCAN: see memberscan.ts.
import { TYPE_SET } from "./abi";
import { Entry } from "./entry";
import { Scan, beginScan, endScan, scanTable } from "./memberscan";
import { Member } from "./setmember";
import { SetValue } from "./setvalue";
import { SetWalk } from "./setwalk";

/** SSCAN key cursor [MATCH pattern] [COUNT count] */
export function sscan(): i32 {
  const refused = beginScan(TYPE_SET);
  const set = Scan.entry();
  if (refused < 0 || set == 0) return refused;
  if (SetValue.isTable(set)) return scanTable(Entry.value(set));
  for (let place = SetWalk.first(set); place != 0; place = SetWalk.next(set, place)) {
    if (!Scan.fits(Member.ptr(), Member.length())) continue;
    if (!Scan.show(Member.ptr(), Member.length())) return Scan.fail();
  }
  return endScan(0);
}
