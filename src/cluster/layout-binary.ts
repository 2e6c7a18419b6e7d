// Where things stand in the packets of Redis 7's cluster bus, asserted there by static_assert in cluster.h.
import type { BodyType } from "./message.ts";
import { BITMAP_BYTES } from "./slot-bitmap.ts";

export const SIGNATURE = 0x52436d62; // "RCmb"
export const VERSION = 1;
export const ID_BYTES = 40;
export const IP_BYTES = 46;

export const LAYOUT = {
  signature: 0,
  length: 4,
  version: 8,
  port: 10,
  type: 12,
  count: 14,
  currentEpoch: 16,
  configEpoch: 24,
  offset: 32,
  sender: 40,
  slots: 80,
  master: 2128,
  ip: 2168,
  extensions: 2214,
  otherPort: 2246,
  busPort: 2248,
  flags: 2250,
  state: 2252,
  messageFlags: 2253,
  data: 2256,
} as const;

export const GOSSIP = {
  id: 0,
  pingSent: 40,
  pongReceived: 44,
  ip: 48,
  port: 94,
  busPort: 96,
  flags: 98,
  otherPort: 100,
  bytes: 104,
} as const;

/** Offsets within the data part of the other types. */
export const FAIL = { node: 0, bytes: ID_BYTES } as const;
export const UPDATE = { configEpoch: 0, node: 8, slots: 48, bytes: 48 + BITMAP_BYTES } as const;
export const PUBLISH = { channelLength: 0, payloadLength: 4, bulk: 8 } as const;
export const MODULE = { id: 0, length: 8, kind: 12, bulk: 13 } as const;
export const EXTENSION = { length: 0, type: 4, head: 8 } as const;

export const TYPES = [
  "ping",
  "pong",
  "meet",
  "fail",
  "publish",
  "authRequest",
  "authAck",
  "update",
  "mfStart",
  "module",
  "publishShard",
] as const satisfies readonly BodyType[];

export const MESSAGE_PAUSED = 1;
export const MESSAGE_FORCE_ACK = 2;
export const MESSAGE_HAS_EXTENSIONS = 4;
export const EXTENSION_HOSTNAME = 0;
/** Longest host name Redis accepts, without its terminating zero. */
export const HOSTNAME_MAX = 255;
