// HSCAN: see memberscan.ts.
import { TYPE_HASH } from "./abi";
import { Entry } from "./entry";
import { isListpack, readField, readValue, textLength, textPtr } from "./hashvalue";
import { Listpack, skipElements } from "./listpack";
import { Scan, beginScan, endScan, scanTable } from "./memberscan";

/** HSCAN key cursor [MATCH pattern] [COUNT count] */
export function hscan(): i32 {
  const refused = beginScan(TYPE_HASH);
  const hash = Scan.entry();
  if (refused < 0 || hash == 0) return refused;
  if (!isListpack(hash)) return scanTable(Entry.value(hash));
  for (let at = Listpack.first(Entry.value(hash)); !Listpack.isEnd(at); at = skipElements(at, 2)) {
    readField(hash, at);
    if (!Scan.fits(textPtr, textLength)) continue;
    if (!Scan.show(textPtr, textLength)) return Scan.fail();
    readValue(hash, at);
    if (!Scan.show(textPtr, textLength)) return Scan.fail();
  }
  return endScan(0);
}
