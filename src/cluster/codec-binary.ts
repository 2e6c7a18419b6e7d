// The binary protocol of Redis 7's cluster bus: messages to bytes, bytes to messages. All integers are big-endian.
// Offsets and sizes stand in layout-binary.ts, and nowhere else.
//
// A stream is a run of frames (frames.ts): 4 bytes "RCmb", the length of the whole frame, then the rest. A frame of a known
// type must have exactly the length its contents call for; a frame that does not is the sender's fault and ends the
// link. Frames of unknown types are passed on as such, so that newer nodes may speak to us.
import {
  EXTENSION,
  EXTENSION_HOSTNAME,
  FAIL,
  GOSSIP,
  HOSTNAME_MAX,
  ID_BYTES,
  IP_BYTES,
  LAYOUT,
  MESSAGE_FORCE_ACK,
  MESSAGE_HAS_EXTENSIONS,
  MESSAGE_PAUSED,
  MODULE,
  PUBLISH,
  SIGNATURE,
  TYPES,
  UPDATE,
  VERSION,
} from "./layout-binary.ts";
import {
  type Body,
  type BodyType,
  type BusMessage,
  type Extensions,
  type GossipEntry,
  type Header,
  type NodeId,
} from "./message.ts";
import { BITMAP_BYTES } from "./slot-bitmap.ts";

// --- Encoding -------------------------------------------------------------------------------------------------

export function encodeMessage(message: BusMessage): Uint8Array {
  const { body } = message;
  const bytes = new Uint8Array(LAYOUT.data + dataLength(body));
  const view = new DataView(bytes.buffer);
  view.setUint32(LAYOUT.signature, SIGNATURE);
  view.setUint32(LAYOUT.length, bytes.length);
  view.setUint16(LAYOUT.version, VERSION);
  view.setUint16(LAYOUT.type, body.type === "unknown" ? body.code : TYPES.indexOf(body.type));
  writeHeader(bytes, view, message.header);
  writeBody(bytes, view, body);
  return bytes;
}

function writeHeader(bytes: Uint8Array, view: DataView, header: Header): void {
  view.setUint16(LAYOUT.port, header.port);
  view.setBigUint64(LAYOUT.currentEpoch, BigInt(header.currentEpoch));
  view.setBigUint64(LAYOUT.configEpoch, BigInt(header.configEpoch));
  view.setBigUint64(LAYOUT.offset, BigInt(header.offset));
  writeText(bytes, LAYOUT.sender, header.sender, ID_BYTES);
  bytes.set(header.slots, LAYOUT.slots);
  if (header.master !== null) writeText(bytes, LAYOUT.master, header.master, ID_BYTES);
  writeText(bytes, LAYOUT.ip, header.ip, IP_BYTES - 1);
  view.setUint16(LAYOUT.otherPort, header.otherPort);
  view.setUint16(LAYOUT.busPort, header.busPort);
  view.setUint16(LAYOUT.flags, header.flags);
  bytes[LAYOUT.state] = header.clusterOk ? 0 : 1;
  bytes[LAYOUT.messageFlags] =
    (header.paused ? MESSAGE_PAUSED : 0) | (header.forceAck ? MESSAGE_FORCE_ACK : 0);
}

function writeBody(bytes: Uint8Array, view: DataView, body: Body): void {
  const data = LAYOUT.data;
  switch (body.type) {
    case "ping":
    case "pong":
    case "meet":
      return writeHeartbeat(bytes, view, body.gossip, body.extensions);
    case "fail":
      return writeText(bytes, data + FAIL.node, body.node, ID_BYTES);
    case "update":
      view.setBigUint64(data + UPDATE.configEpoch, BigInt(body.configEpoch));
      writeText(bytes, data + UPDATE.node, body.node, ID_BYTES);
      bytes.set(body.slots, data + UPDATE.slots);
      return;
    case "publish":
    case "publishShard":
      view.setUint16(LAYOUT.count, 1);
      view.setUint32(data + PUBLISH.channelLength, body.channel.length);
      view.setUint32(data + PUBLISH.payloadLength, body.payload.length);
      bytes.set(body.channel, data + PUBLISH.bulk);
      bytes.set(body.payload, data + PUBLISH.bulk + body.channel.length);
      return;
    case "module":
      bytes.set(body.moduleId.subarray(0, 8), data + MODULE.id);
      view.setUint32(data + MODULE.length, body.payload.length);
      bytes[data + MODULE.kind] = body.kind;
      bytes.set(body.payload, data + MODULE.bulk);
      return;
    case "authRequest":
    case "authAck":
    case "mfStart":
    case "unknown":
      return;
    default:
      body satisfies never;
  }
}

function writeHeartbeat(
  bytes: Uint8Array,
  view: DataView,
  gossip: readonly GossipEntry[],
  extensions: Extensions,
): void {
  view.setUint16(LAYOUT.count, gossip.length);
  let at: number = LAYOUT.data;
  for (const entry of gossip) {
    writeText(bytes, at + GOSSIP.id, entry.id, ID_BYTES);
    view.setUint32(at + GOSSIP.pingSent, entry.pingSentAtSec);
    view.setUint32(at + GOSSIP.pongReceived, entry.pongReceivedAtSec);
    writeText(bytes, at + GOSSIP.ip, entry.ip, IP_BYTES - 1);
    view.setUint16(at + GOSSIP.port, entry.port);
    view.setUint16(at + GOSSIP.busPort, entry.busPort);
    view.setUint16(at + GOSSIP.flags, entry.flags);
    view.setUint16(at + GOSSIP.otherPort, entry.otherPort);
    at += GOSSIP.bytes;
  }
  // Set even when none follows: it tells the receiver that we know of extensions at all.
  bytes[LAYOUT.messageFlags] = (bytes[LAYOUT.messageFlags] ?? 0) | MESSAGE_HAS_EXTENSIONS;
  const { hostname } = extensions;
  if (hostname === undefined) return;
  view.setUint16(LAYOUT.extensions, 1);
  view.setUint32(at + EXTENSION.length, hostnameLength(hostname));
  view.setUint16(at + EXTENSION.type, EXTENSION_HOSTNAME);
  writeText(bytes, at + EXTENSION.head, hostname, HOSTNAME_MAX);
}

function dataLength(body: Body): number {
  switch (body.type) {
    case "ping":
    case "pong":
    case "meet": {
      const { hostname } = body.extensions;
      return body.gossip.length * GOSSIP.bytes + (hostname === undefined ? 0 : hostnameLength(hostname));
    }
    case "fail":
      return FAIL.bytes;
    case "update":
      return UPDATE.bytes;
    case "publish":
    case "publishShard":
      return PUBLISH.bulk + body.channel.length + body.payload.length;
    case "module":
      return MODULE.bulk + body.payload.length;
    default:
      return 0;
  }
}

/** An extension's whole length: its head, the text with a terminating zero, padded to 8 bytes. */
function hostnameLength(hostname: string): number {
  return EXTENSION.head + ((Math.min(hostname.length, HOSTNAME_MAX) + 1 + 7) & ~7);
}

/** Writes ASCII, at most `room` characters; what follows stays zero. */
function writeText(bytes: Uint8Array, at: number, text: string, room: number): void {
  const length = Math.min(text.length, room);
  for (let i = 0; i < length; i++) bytes[at + i] = text.charCodeAt(i);
}

// --- Decoding -------------------------------------------------------------------------------------------------

/** Why bytes are no message of this protocol. */
export interface Malformed {
  readonly malformed: string;
}

/** Decodes one whole frame. The message keeps views into `frame`. */
export function decodeFrame(frame: Uint8Array): BusMessage | Malformed {
  if (frame.length < LAYOUT.data) return { malformed: "frame shorter than its header" };
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  const version = view.getUint16(LAYOUT.version);
  if (version !== VERSION) return { malformed: `unknown protocol version ${version}` };
  const header = readHeader(frame, view);
  if ("malformed" in header) return header;
  const body = readBody(frame, view);
  return "malformed" in body ? body : { header, body };
}

function readHeader(frame: Uint8Array, view: DataView): Header | Malformed {
  const currentEpoch = readCount(view, LAYOUT.currentEpoch);
  const configEpoch = readCount(view, LAYOUT.configEpoch);
  const offset = readCount(view, LAYOUT.offset);
  const sender = readId(frame, LAYOUT.sender);
  if (currentEpoch === undefined || configEpoch === undefined) return { malformed: "epoch out of range" };
  if (offset === undefined) return { malformed: "offset out of range" };
  if (sender === null) return { malformed: "sender is no node id" };
  const messageFlags = frame[LAYOUT.messageFlags] ?? 0;
  return {
    sender,
    master: readId(frame, LAYOUT.master),
    slots: frame.subarray(LAYOUT.slots, LAYOUT.slots + BITMAP_BYTES),
    currentEpoch,
    configEpoch,
    offset,
    ip: readText(frame, LAYOUT.ip, IP_BYTES),
    port: view.getUint16(LAYOUT.port),
    otherPort: view.getUint16(LAYOUT.otherPort),
    busPort: view.getUint16(LAYOUT.busPort),
    flags: view.getUint16(LAYOUT.flags),
    clusterOk: frame[LAYOUT.state] === 0,
    paused: (messageFlags & MESSAGE_PAUSED) !== 0,
    forceAck: (messageFlags & MESSAGE_FORCE_ACK) !== 0,
  };
}

function readBody(frame: Uint8Array, view: DataView): Body | Malformed {
  const code = view.getUint16(LAYOUT.type);
  const type = TYPES[code];
  switch (type) {
    case "ping":
    case "pong":
    case "meet":
      return readHeartbeat(frame, view, type);
    case "publish":
    case "publishShard":
      return readPublication(frame, view, type);
    case "module":
      return readModule(frame, view);
    case "fail": {
      if (frame.length !== LAYOUT.data + FAIL.bytes) return wrongLength(type, frame);
      const node = readId(frame, LAYOUT.data + FAIL.node);
      return node === null ? { malformed: "FAIL names no node" } : { type, node };
    }
    case "update":
      return readUpdate(frame, view);
    case "authRequest":
    case "authAck":
    case "mfStart":
      return frame.length === LAYOUT.data ? { type } : wrongLength(type, frame);
    case undefined:
      return { type: "unknown", code };
    default:
      return type satisfies never;
  }
}

function wrongLength(type: BodyType, frame: Uint8Array): Malformed {
  return { malformed: `a ${type} of ${frame.length} bytes does not fit its contents` };
}

function readHeartbeat(frame: Uint8Array, view: DataView, type: "ping" | "pong" | "meet"): Body | Malformed {
  const count = view.getUint16(LAYOUT.count);
  const gossipEnd = LAYOUT.data + count * GOSSIP.bytes;
  if (gossipEnd > frame.length) return wrongLength(type, frame);
  const gossip: GossipEntry[] = [];
  for (let at = LAYOUT.data; at < gossipEnd; at += GOSSIP.bytes) {
    const id = readId(frame, at + GOSSIP.id);
    if (id === null) return { malformed: "gossip entry names no node" };
    gossip.push({
      id,
      pingSentAtSec: view.getUint32(at + GOSSIP.pingSent),
      pongReceivedAtSec: view.getUint32(at + GOSSIP.pongReceived),
      ip: readText(frame, at + GOSSIP.ip, IP_BYTES),
      port: view.getUint16(at + GOSSIP.port),
      otherPort: view.getUint16(at + GOSSIP.otherPort),
      busPort: view.getUint16(at + GOSSIP.busPort),
      flags: view.getUint16(at + GOSSIP.flags),
    });
  }
  const hasExtensions = ((frame[LAYOUT.messageFlags] ?? 0) & MESSAGE_HAS_EXTENSIONS) !== 0;
  const extensionCount = hasExtensions ? view.getUint16(LAYOUT.extensions) : 0;
  const extensions = readExtensions(frame, view, gossipEnd, extensionCount);
  return extensions === undefined ? wrongLength(type, frame) : { type, gossip, extensions };
}

/** Extensions must fill the frame to its last byte; types we do not know are stepped over. */
function readExtensions(
  frame: Uint8Array,
  view: DataView,
  from: number,
  count: number,
): Extensions | undefined {
  let at = from;
  let hostname: string | undefined;
  for (let i = 0; i < count; i++) {
    if (at + EXTENSION.head > frame.length) return undefined;
    const length = view.getUint32(at + EXTENSION.length);
    if (length < EXTENSION.head || at + length > frame.length) return undefined;
    if (view.getUint16(at + EXTENSION.type) === EXTENSION_HOSTNAME) {
      hostname = readText(frame, at + EXTENSION.head, length - EXTENSION.head);
    }
    at += length;
  }
  if (at !== frame.length) return undefined;
  return hostname === undefined || hostname === "" ? {} : { hostname };
}

function readPublication(
  frame: Uint8Array,
  view: DataView,
  type: "publish" | "publishShard",
): Body | Malformed {
  const bulk = LAYOUT.data + PUBLISH.bulk;
  if (frame.length < bulk) return wrongLength(type, frame);
  const channelEnd = bulk + view.getUint32(LAYOUT.data + PUBLISH.channelLength);
  const end = channelEnd + view.getUint32(LAYOUT.data + PUBLISH.payloadLength);
  if (end !== frame.length) return wrongLength(type, frame);
  return { type, channel: frame.subarray(bulk, channelEnd), payload: frame.subarray(channelEnd, end) };
}

function readModule(frame: Uint8Array, view: DataView): Body | Malformed {
  const { data } = LAYOUT;
  const bulk = data + MODULE.bulk;
  if (frame.length < bulk || bulk + view.getUint32(data + MODULE.length) !== frame.length) {
    return wrongLength("module", frame);
  }
  return {
    type: "module",
    moduleId: frame.subarray(data + MODULE.id, data + MODULE.length),
    kind: frame[data + MODULE.kind] ?? 0,
    payload: frame.subarray(bulk),
  };
}

function readUpdate(frame: Uint8Array, view: DataView): Body | Malformed {
  const { data } = LAYOUT;
  if (frame.length !== data + UPDATE.bytes) return wrongLength("update", frame);
  const configEpoch = readCount(view, data + UPDATE.configEpoch);
  const node = readId(frame, data + UPDATE.node);
  if (configEpoch === undefined) return { malformed: "epoch out of range" };
  if (node === null) return { malformed: "UPDATE names no node" };
  const slots = frame.subarray(data + UPDATE.slots, data + UPDATE.slots + BITMAP_BYTES);
  return { type: "update", configEpoch, node, slots };
}

/** A 64-bit count that a number holds exactly, or undefined. */
function readCount(view: DataView, at: number): number | undefined {
  const value = Number(view.getBigUint64(at));
  return Number.isSafeInteger(value) ? value : undefined;
}

/** 40 hex digits, or null when the field holds anything else (zeros = no node). */
function readId(frame: Uint8Array, at: number): NodeId | null {
  let id = "";
  for (let i = 0; i < ID_BYTES; i++) {
    const code = frame[at + i] ?? 0;
    const isHex = (code >= 48 && code <= 57) || (code >= 97 && code <= 102);
    if (!isHex) return null;
    id += String.fromCharCode(code);
  }
  return id;
}

/** One character per byte, up to the first zero. What of it is believed is decided in door.ts. */
function readText(frame: Uint8Array, at: number, room: number): string {
  let text = "";
  for (let i = 0; i < room; i++) {
    const code = frame[at + i] ?? 0;
    if (code === 0) break;
    text += String.fromCharCode(code);
  }
  return text;
}
