// The elements of collections in their RDB form, one by one or many in one string, read into values under construction.
import {
  EMBSTR_LIMIT,
  ENCODING_EMBSTR,
  ENCODING_INT,
  ENCODING_INTSET,
  ENCODING_LISTPACK,
  ENCODING_RAW,
  REFUSED_OUT_OF_MEMORY,
  TYPE_HASH,
  TYPE_LIST,
  TYPE_STRING,
  TYPE_ZSET,
} from "./abi";
import { parseDouble, parsedDouble } from "./double";
import { draft, draftProblem, fillDraft, nonsense } from "./draft";
import { addNode, addToList } from "./draftlist";
import { addField, settleHash } from "./drafthash";
import { takeListpack } from "./draftlistpack";
import { addToSet, takeIntset } from "./draftset";
import { addScored, settleScored, takeScoredListpack } from "./draftzset";
import { Entry } from "./entry";
import { parse, parsed } from "./integers";
import { Intset } from "./intset";
import { Listpack } from "./listpack";
import { isListpack } from "./listpackcheck";
import { elementLength, elementPtr, readText } from "./listpackelement";
import {
  RDB_NODE_PACKED,
  RDB_NODE_PLAIN,
  RDB_TYPE_HASH,
  RDB_TYPE_HASH_LISTPACK,
  RDB_TYPE_HASH_ZIPLIST,
  RDB_TYPE_HASH_ZIPMAP,
  RDB_TYPE_LIST,
  RDB_TYPE_LIST_QUICKLIST,
  RDB_TYPE_LIST_QUICKLIST_2,
  RDB_TYPE_LIST_ZIPLIST,
  RDB_TYPE_SET,
  RDB_TYPE_SET_INTSET,
  RDB_TYPE_SET_LISTPACK,
  RDB_TYPE_STRING,
  RDB_TYPE_ZSET,
  RDB_TYPE_ZSET_2,
  RDB_TYPE_ZSET_LISTPACK,
  RDB_TYPE_ZSET_ZIPLIST,
} from "./rdbformat";
import {
  Input,
  doubleRead,
  lengthRead,
  readDouble,
  readLength,
  readString,
  readTextDouble,
  textLength,
  textPtr,
} from "./rdbread";
import { beginZiplist, nextInZiplist, ziplistIsWhole, ziplistLength, ziplistPtr } from "./ziplist";
import {
  beginZipmap,
  nextInZipmap,
  zipmapField,
  zipmapFieldLength,
  zipmapIsWhole,
  zipmapValue,
  zipmapValueLength,
} from "./zipmap";
import { TableRecord } from "./tablerecord";

const INTEGER: usize = memory.data(8);

/** Whether all of such a value is one string. */
export function isBlob(type: u32): bool {
  switch (type) {
    case RDB_TYPE_STRING:
    case RDB_TYPE_HASH_ZIPMAP:
    case RDB_TYPE_LIST_ZIPLIST:
    case RDB_TYPE_SET_INTSET:
    case RDB_TYPE_ZSET_ZIPLIST:
    case RDB_TYPE_HASH_ZIPLIST:
    case RDB_TYPE_HASH_LISTPACK:
    case RDB_TYPE_ZSET_LISTPACK:
    case RDB_TYPE_SET_LISTPACK:
      return true;
    default:
      return false;
  }
}

/** What cannot be added makes the bytes wrong. */
function checked(isAdded: bool): bool {
  if (!isAdded) Input.refuse(draftProblem == REFUSED_OUT_OF_MEMORY);
  return isAdded;
}

/** Reads the next element into the draft; false = bytes are missing or wrong. */
export function addElement(type: u32, isKept: bool): bool {
  if (type == RDB_TYPE_LIST_QUICKLIST || type == RDB_TYPE_LIST_QUICKLIST_2) return addListNode(type, isKept);
  if (!readString(0)) return false;
  const ptr = textPtr;
  const length = textLength;
  if (type == RDB_TYPE_HASH) {
    if (!readString(1)) return false;
    return !isKept || checked(addField(ptr, length, textPtr, textLength));
  }
  if (type == RDB_TYPE_ZSET || type == RDB_TYPE_ZSET_2) {
    const isRead = type == RDB_TYPE_ZSET ? readTextDouble() : readDouble();
    return isRead && (!isKept || checked(addScored(ptr, length, doubleRead)));
  }
  if (type == RDB_TYPE_LIST) return !isKept || checked(addToList(ptr, length));
  if (type == RDB_TYPE_SET) return !isKept || checked(addToSet(ptr, length));
  return checked(nonsense());
}

/** Reads the next node of a list. A node's listpack is looked through even when it is not kept. */
function addListNode(type: u32, isKept: bool): bool {
  let form: u64 = RDB_NODE_PACKED;
  if (type == RDB_TYPE_LIST_QUICKLIST_2) {
    if (!readLength()) return false;
    form = lengthRead;
  }
  if (!readString(0)) return false;
  if (form == RDB_NODE_PLAIN)
    return !isKept || checked(textLength > 0 ? addToList(textPtr, textLength) : nonsense());
  if (form != RDB_NODE_PACKED) return checked(nonsense());
  if (type == RDB_TYPE_LIST_QUICKLIST) return checked(takeZiplist(textPtr, textLength));
  if (!isKept) return checked(isListpack(textPtr, textLength) || nonsense());
  return checked(addNode(textPtr, textLength));
}

/** Reads the one string that holds all elements; as `addElement`. */
export function takeBlob(type: u32): bool {
  return readString(0) && checked(takeText(type, textPtr, textLength));
}

function takeText(type: u32, ptr: usize, length: u32): bool {
  switch (type) {
    case RDB_TYPE_STRING:
      return takeString(ptr, length);
    case RDB_TYPE_SET_INTSET:
      return takeIntset(ptr, length);
    case RDB_TYPE_HASH_LISTPACK:
      return takeListpack(ptr, length, true);
    case RDB_TYPE_SET_LISTPACK:
      return takeSetListpack(ptr, length);
    case RDB_TYPE_HASH_ZIPMAP:
      return takeZipmap(ptr, length);
    case RDB_TYPE_ZSET_LISTPACK:
      return takeScoredListpack(ptr, length);
    case RDB_TYPE_LIST_ZIPLIST:
    case RDB_TYPE_HASH_ZIPLIST:
    case RDB_TYPE_ZSET_ZIPLIST:
      return takeZiplist(ptr, length);
    default:
      return nonsense();
  }
}

function takeString(ptr: usize, length: u32): bool {
  if (parse(ptr, length)) {
    store<i64>(INTEGER, parsed);
    return fillDraft(ENCODING_INT, INTEGER, 8);
  }
  return fillDraft(length <= <u32>EMBSTR_LIMIT ? ENCODING_EMBSTR : ENCODING_RAW, ptr, length);
}

/** A small set as later versions write it. */
function takeSetListpack(lp: usize, bytes: u32): bool {
  if (!isListpack(lp, bytes)) return nonsense();
  for (let at = Listpack.first(lp); !Listpack.isEnd(at); at = Listpack.next(at)) {
    readText(at);
    if (!addToSet(elementPtr, elementLength)) return false;
  }
  return true;
}

function takeZipmap(ptr: usize, bytes: u32): bool {
  if (!beginZipmap(ptr, bytes)) return nonsense();
  while (nextInZipmap()) {
    if (!addField(zipmapField, zipmapFieldLength, zipmapValue, zipmapValueLength)) return false;
  }
  return zipmapIsWhole || nonsense();
}

/** Elements of a list, or the pairs of a hash or a sorted set. */
function takeZiplist(ptr: usize, bytes: u32): bool {
  if (!beginZiplist(ptr, bytes)) return nonsense();
  if (Entry.type(draft) == TYPE_LIST) {
    while (nextInZiplist()) if (!addToList(ziplistPtr, ziplistLength)) return false;
    return ziplistIsWhole || nonsense();
  }
  while (nextInZiplist()) {
    const first = ziplistPtr;
    const length = ziplistLength;
    if (!nextInZiplist()) return nonsense();
    if (!addPair(first, length, ziplistPtr, ziplistLength)) return false;
  }
  return ziplistIsWhole || nonsense();
}

function addPair(first: usize, length: u32, second: usize, secondLength: u32): bool {
  if (Entry.type(draft) == TYPE_HASH) return addField(first, length, second, secondLength);
  return parseDouble(second, secondLength) ? addScored(first, length, parsedDouble) : nonsense();
}

/** Whether the draft is a collection without elements. */
export function isEmptyDraft(): bool {
  if (Entry.type(draft) == TYPE_STRING) return false;
  const value = Entry.value(draft);
  const encoding = Entry.encoding(draft);
  if (encoding == ENCODING_LISTPACK) return Listpack.isEmpty(value);
  if (encoding == ENCODING_INTSET) return Intset.count(value) == 0;
  return TableRecord.count(value) == 0;
}

/** Gives a draft that is whole the encoding that befits its size. */
export function settleDraft(): bool {
  if (Entry.type(draft) == TYPE_HASH) return settleHash();
  return Entry.type(draft) != TYPE_ZSET || settleScored();
}
