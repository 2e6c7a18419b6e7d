// Text that stands for bytes: one character for each, U+0000 to U+00FF. What is no UTF-8 keeps its bytes this way, and
// can still be split, compared and matched as text is.
import { Buffer } from "node:buffer";

export const bytesOf = (text: string): Uint8Array => Buffer.from(text, "latin1");

/** The text that stands for [from, to) of bytes. `TextDecoder("latin1")` is windows-1252 and changes 0x80 to 0x9f. */
export const byteText = (bytes: Uint8Array, from = 0, to = bytes.length): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString("latin1");

/** The bytes of ordinary text in UTF-8. */
export const fromUnicode = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

/** The ordinary text the bytes are in UTF-8; what is none becomes U+FFFD. */
export const toUnicode = (text: string): string => Buffer.from(text, "latin1").toString("utf8");

export const isUnicode = (text: string): boolean => fromUnicode(toUnicode(text)) === text;
