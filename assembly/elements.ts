// Every element of a collection that does not change meanwhile, whatever it is kept as:
//
//   for (beginElements(entry); nextElement(); ) … elementText, elementTextLength …
//
// A list and a listpack come in their order, a sorted set from the lowest score up, hashtables in no order. One walk
// goes on at a time.
import {
  ENCODING_HASHTABLE,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_QUICKLIST,
  TYPE_HASH,
  TYPE_ZSET,
} from "./abi";
import { parseDouble, parsedDouble } from "./double";
import { Entry } from "./entry";
import { render } from "./integers";
import { Intset } from "./intset";
import { Item } from "./item";
import { Node } from "./listnode";
import { readNode } from "./listpacking";
import { Listpack } from "./listpack";
import { elementInteger, elementLength, elementPtr, readElement, readText } from "./listpackelement";
import { Walk } from "./memberwalk";
import { Quicklist } from "./quicklist";
import { Leaf } from "./scorenode";
import { foundLeaf, seekRank } from "./scoresearch";
import { TABLE_RECORD, TableRecord } from "./tablerecord";

/** The element: a list's, a member, a field. Digits of an integer, too, stand where they do until the next element. */
export let elementText: usize = 0;
export let elementTextLength: u32 = 0;
/** Of a hash: the field's value. */
export let elementValue: usize = 0;
export let elementValueLength: u32 = 0;
/** Of a sorted set. */
export let elementScore: f64 = 0;

const DIGITS: usize = memory.data(24);

let value: usize = 0;
let type: u32 = 0;
let encoding: u32 = 0;
/** Where the next element stands: an address, or its index in an intset or a leaf. */
let at: usize = 0;
let index: u32 = 0;
let place: u64 = 0;
let node: usize = 0;

export function beginElements(entry: usize): void {
  value = Entry.value(entry);
  type = Entry.type(entry);
  encoding = Entry.encoding(entry);
  index = 0;
  if (encoding == ENCODING_LISTPACK) {
    at = Listpack.first(value);
  } else if (encoding == ENCODING_HASHTABLE) {
    place = Walk.first(value);
  } else if (encoding == ENCODING_QUICKLIST) {
    enterNode(Quicklist.head(value));
  } else if (type == TYPE_ZSET) {
    if (TableRecord.count(value) != 0) seekRank(value + TABLE_RECORD, 0);
    at = TableRecord.count(value) == 0 ? 0 : foundLeaf;
  }
}

/** False = that was all. */
export function nextElement(): bool {
  if (encoding == ENCODING_LISTPACK) return nextInListpack();
  if (encoding == ENCODING_INTSET) return nextInteger();
  if (encoding == ENCODING_HASHTABLE) return nextMember();
  return type == TYPE_ZSET ? nextCell() : nextInNodes();
}

function nextInListpack(): bool {
  if (Listpack.isEnd(at)) return false;
  readOne();
  if (type != TYPE_HASH && type != TYPE_ZSET) return true;
  readText(at);
  at = Listpack.next(at);
  elementValue = elementPtr;
  elementValueLength = elementLength;
  if (type == TYPE_ZSET && parseDouble(elementPtr, elementLength)) elementScore = parsedDouble;
  return true;
}

/** Reads the element of a listpack that stands `at`, and goes behind it. */
function readOne(): void {
  if (readElement(at)) {
    elementText = DIGITS;
    elementTextLength = render(elementInteger, DIGITS);
  } else {
    elementText = elementPtr;
    elementTextLength = elementLength;
  }
  at = Listpack.next(at);
}

function nextInteger(): bool {
  if (index == Intset.count(value)) return false;
  elementText = DIGITS;
  elementTextLength = render(Intset.at(value, index++), DIGITS);
  return true;
}

function nextMember(): bool {
  if (place == 0) return false;
  const item = Walk.item(place);
  place = Walk.next(value, place);
  elementText = Item.key(item);
  elementTextLength = Item.keyLength(item);
  if (type != TYPE_HASH) return true;
  elementValue = Item.value(item);
  elementValueLength = Item.valueLength(item);
  return true;
}

/** Elements of a list; what is packed is read through an expansion. */
function nextInNodes(): bool {
  if (node == 0) return false;
  readOne();
  if (!Listpack.isEnd(at)) return true;
  enterNode(Node.next(node));
  return true;
}

/** Goes to a node of a list, 0 = there is none. Without memory to read it the list ends there. */
function enterNode(next: usize): void {
  const lp: usize = next == 0 ? 0 : readNode(next);
  node = lp == 0 ? 0 : next;
  if (lp != 0) at = Listpack.first(lp);
}

function nextCell(): bool {
  if (at == 0) return false;
  const item = Leaf.item(at, index);
  elementScore = Leaf.score(at, index);
  elementText = Item.key(item);
  elementTextLength = Item.keyLength(item);
  if (++index == Leaf.count(at)) {
    at = Leaf.next(at);
    index = 0;
  }
  return true;
}
