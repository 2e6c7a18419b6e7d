// ZSCAN: see memberscan.ts.
import { ENCODING_LISTPACK, TYPE_ZSET } from "./abi";
import { Entry } from "./entry";
import { Listpack } from "./listpack";
import { elementLength, elementPtr, readText } from "./listpackelement";
import { Scan, beginScan, endScan, scanTable } from "./memberscan";
import { Pack } from "./zsetpack";

/** ZSCAN key cursor [MATCH pattern] [COUNT count] */
export function zscan(): i32 {
  const refused = beginScan(TYPE_ZSET);
  if (refused < 0 || Scan.entry() == 0) return refused;
  const value = Entry.value(Scan.entry());
  if (Entry.encoding(Scan.entry()) != ENCODING_LISTPACK) return scanTable(value);
  for (let at = Listpack.first(value); !Listpack.isEnd(at); at = Pack.next(at)) {
    readText(at);
    if (!Scan.fits(elementPtr, elementLength)) continue;
    if (!Scan.show(elementPtr, elementLength)) return Scan.fail();
    readText(Pack.scoreOf(at));
    if (!Scan.show(elementPtr, elementLength)) return Scan.fail();
  }
  return endScan(0);
}
