// Tracking of keys for clients that cache them (CLIENT TRACKING), as handlers see it.
import type { Client } from "./context.ts";

/** What a tracking connection asked for. */
export interface TrackingRequest {
  /** Id of the connection that is told of changed keys; 0 = the one that reads them. */
  readonly redirect: number;
  /** `read`: keys it reads; with `optin` only after CLIENT CACHING YES, with `optout` not after CLIENT CACHING NO. */
  readonly scope: "read" | "optin" | "optout" | "broadcast";
  /** It is not told of what it changes itself. */
  readonly noLoop: boolean;
  /** Of a broadcast: how its keys begin, one character per byte. */
  readonly prefixes: readonly string[];
}

/** A connection that has tracking on. */
export interface Tracked extends TrackingRequest {
  /** CLIENT CACHING was said: it is about the next command. */
  hasCaching: boolean;
  /** Something was to be told to a connection that is gone. */
  isBroken: boolean;
}

export interface Tracking {
  /** Switches tracking on, or changes it; prefixes are added to those there are. */
  start(client: Client, request: TrackingRequest): void;
  stop(client: Client): void;
  /** All keys of a database or of all databases are gone. */
  emptied(): void;
}
