// What a replica's machine (replica.ts) is told, what it wants done, and what it reads of the server around it.
import type { Part } from "../resp/encode.ts";

/** What the machine reads of the server around it, anew at each step. */
export interface ReplicaSurroundings {
  /** The history the data at hand is part of; undefined when it is nobody's and only a full copy will do. */
  readonly replId: string | undefined;
  /** Bytes of that history applied so far. */
  readonly offset: number;
  /** Port and address the master shall name for this server. */
  readonly port: number;
  readonly announceIp: Part | undefined;
  readonly user: Part | undefined;
  readonly password: Part | undefined;
  /** Silence after which the master counts as gone: repl-timeout. */
  readonly timeoutMs: number;
}

export type ReplicaEvent =
  | { readonly type: "follow"; readonly host: string; readonly port: number }
  | { readonly type: "stop" }
  | { readonly type: "connected" }
  | { readonly type: "closed"; readonly reason: string }
  | { readonly type: "received"; readonly bytes: Uint8Array }
  /** The copy is in place. */
  | { readonly type: "loaded" }
  | { readonly type: "loadFailed"; readonly reason: string }
  /** The stream held REPLCONF GETACK. */
  | { readonly type: "acknowledge" }
  | { readonly type: "tick" };

export type ReplicaEffect =
  | { readonly type: "connect"; readonly host: string; readonly port: number }
  | { readonly type: "send"; readonly bytes: Uint8Array }
  | { readonly type: "disconnect" }
  /** A full copy begins: from its end on the data is part of this history. */
  | {
      readonly type: "copyBegins";
      readonly replId: string | undefined;
      readonly offset: number;
      readonly size: number | undefined;
    }
  | { readonly type: "copy"; readonly bytes: Uint8Array }
  | { readonly type: "copyEnds" }
  /** The master goes on from our offset; under which id. */
  | { readonly type: "continues"; readonly replId: string | undefined }
  /** Commands to apply; the shell counts them as applied. */
  | { readonly type: "stream"; readonly bytes: Uint8Array }
  | { readonly type: "log"; readonly level: "notice" | "warning"; readonly text: string };
