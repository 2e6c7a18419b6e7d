// Patterns of SORT's BY and GET: where an element's weight, or what is shown in its place, is to be found.
//
//   prefix*suffix          the string under that key, the star being the element
//   prefix*suffix->field   a field of the hash under that key
//   #                      the element itself (GET)
import { TYPE_HASH, TYPE_STRING } from "../../assembly/abi.ts";
import { HOW_READ, HOW_TRACELESS } from "../engine/keys.ts";
import type { Slice } from "../resp/reply.ts";
import type { Context } from "./context.ts";

export type SortPattern =
  | "element"
  /** Without a star it names nothing. */
  | "nothing"
  | { readonly prefix: Uint8Array; readonly suffix: Uint8Array; readonly field: Uint8Array | undefined };

const STAR = 42;

export function readPattern(bytes: Uint8Array): SortPattern {
  if (bytes.length === 1 && bytes[0] === 35) return "element";
  const star = bytes.indexOf(STAR);
  if (star < 0) return "nothing";
  const prefix = bytes.subarray(0, star);
  const rest = bytes.subarray(star + 1);
  const arrow = arrowIn(rest);
  // An arrow with nothing behind it belongs to the key.
  if (arrow < 0 || arrow + 2 === rest.length) return { prefix, suffix: rest, field: undefined };
  return { prefix, suffix: rest.subarray(0, arrow), field: rest.subarray(arrow + 2) };
}

function arrowIn(bytes: Uint8Array): number {
  for (let i = 0; i + 1 < bytes.length; i++) if (bytes[i] === 45 && bytes[i + 1] === 62) return i;
  return -1;
}

/** What a pattern names for an element; undefined = there is nothing, or nothing of the right type. */
export function lookUp(ctx: Context, pattern: SortPattern, element: Slice): Slice | undefined {
  if (pattern === "element") return element;
  if (pattern === "nothing") return undefined;
  const { prefix, suffix, field } = pattern;
  const key = Buffer.concat([prefix, ctx.keys.bytesOf(element), suffix]);
  const type = ctx.keys.type(key, HOW_READ);
  if (field !== undefined) return type === TYPE_HASH ? ctx.keys.field(key, field) : undefined;
  return type === TYPE_STRING ? ctx.keys.string(key, HOW_TRACELESS) : undefined;
}
