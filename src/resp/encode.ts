// A request as bytes: what a client sends to a server, a master to its replicas, a log to whoever reads it later.

const CR = 13;
const LF = 10;
const encoder = new TextEncoder();

/** A part of a request: text is written as UTF-8. */
export type Part = string | number | Uint8Array;

/**
 * A RESP multibulk request.
 * @returns fresh bytes: `*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n`
 */
export function encodeRequest(parts: readonly Part[]): Uint8Array {
  const bodies = parts.map((part) => (part instanceof Uint8Array ? part : encoder.encode(String(part))));
  let size = headLength(bodies.length);
  for (const body of bodies) size += headLength(body.length) + body.length + 2;
  const bytes = new Uint8Array(size);
  let at = head(bytes, 0, 42, bodies.length);
  for (const body of bodies) {
    at = head(bytes, at, 36, body.length);
    bytes.set(body, at);
    at += body.length;
    bytes[at++] = CR;
    bytes[at++] = LF;
  }
  return bytes;
}

function headLength(value: number): number {
  return 3 + String(value).length;
}

function head(bytes: Uint8Array, start: number, type: number, value: number): number {
  let at = start;
  bytes[at++] = type;
  const digits = String(value);
  for (let i = 0; i < digits.length; i++) bytes[at++] = digits.charCodeAt(i);
  bytes[at++] = CR;
  bytes[at++] = LF;
  return at;
}
