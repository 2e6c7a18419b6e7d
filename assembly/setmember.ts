// The member at hand: one member of a set, given as an argument or met on a walk, with what has been found out about it.
//
// Sets hold their members as text or as integers, and members come as either. So the other form, and the hash, are made
// when they are first asked for and kept while the member goes from set to set.
import { hashOf } from "./hash";
import { parse, parsed, render } from "./integers";
import { Item } from "./item";
import { LINE_ROOM, Reply, replyBulk } from "./reply";

const DIGITS: usize = memory.data(24);

const UNKNOWN: u32 = 0;
const YES: u32 = 1;
const NO: u32 = 2;

/** The text; its address is 0 while only the integer is known. */
let text: usize = 0;
let textLength: u32 = 0;
let integer: i64 = 0;
let isInteger: u32 = UNKNOWN;
let hash: u64 = 0;
let isHashed: bool = false;

export abstract class Member {
  @inline static fromText(ptr: usize, length: u32): void {
    text = ptr;
    textLength = length;
    isInteger = UNKNOWN;
    isHashed = false;
  }
  @inline static fromItem(item: usize): void {
    Member.fromText(Item.key(item), Item.keyLength(item));
  }
  @inline static fromInteger(value: i64): void {
    text = 0;
    integer = value;
    isInteger = YES;
    isHashed = false;
  }
  /** Whether its text is the canonical spelling of an integer. */
  @inline static isInteger(): bool {
    if (isInteger == UNKNOWN) readInteger();
    return isInteger == YES;
  }
  /** Only of one that is an integer. */
  @inline static integer(): i64 {
    return integer;
  }
  @inline static ptr(): usize {
    if (text == 0) writeText();
    return text;
  }
  @inline static length(): u32 {
    if (text == 0) writeText();
    return textLength;
  }
  @inline static hash(): u64 {
    if (!isHashed) {
      hash = hashOf(Member.ptr(), Member.length());
      isHashed = true;
    }
    return hash;
  }
}

function readInteger(): void {
  isInteger = parse(text, textLength) ? YES : NO;
  integer = parsed;
}

function writeText(): void {
  textLength = render(integer, DIGITS);
  text = DIGITS;
}

/** Writes the member at hand; false = no memory. */
export function replyMember(): bool {
  const length = Member.length();
  if (!Reply.reserve(length + LINE_ROOM)) return false;
  replyBulk(Member.ptr(), length);
  return true;
}
