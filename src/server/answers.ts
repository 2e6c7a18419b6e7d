// The reply arena as requests that run one after the other share it: each has room for a short reply, an error can
// always be told, and what CLIENT REPLY silences is taken back.
import { STATE_REPLY, STATE_REPLY_END, STATE_REPLY_LIMIT } from "../../assembly/abi.ts";
import type { ReplyArena } from "../engine/arena.ts";
import type { Memory } from "../engine/memory.ts";
import { OUT_OF_MEMORY } from "../resp/errors.ts";
import type { Reply } from "../resp/reply.ts";
import type { ClientConnection } from "./client.ts";

/** Replies gathered beyond this go out before the batch ends. */
const FLUSH_BYTES = 262_144;

/** Room the arena has for each request's reply, so that memory never runs out for an error or a short one. */
const REPLY_ROOM = 4096;

const REPLY = STATE_REPLY >> 2;
const REPLY_END = STATE_REPLY_END >> 2;
const REPLY_LIMIT = STATE_REPLY_LIMIT >> 2;

export class Answers {
  constructor(
    private readonly memory: Memory,
    private readonly replies: ReplyArena,
    private readonly reply: Reply,
  ) {}

  /** An error that quotes more of its request than there is memory for is told in short. */
  error(text: string): void {
    try {
      this.reply.error(text);
    } catch (error) {
      if (error !== OUT_OF_MEMORY) throw error;
      this.reply.error(OUT_OF_MEMORY);
    }
  }

  /** Room in the arena for another reply: it grows, or what it holds goes out. */
  keepRoom(client: ClientConnection): void {
    const { u32, wasm } = this.memory;
    if (u32[REPLY_END]! - u32[REPLY]! > FLUSH_BYTES) client.sendReplies(this.replies);
    else if (u32[REPLY_LIMIT]! - u32[REPLY_END]! < REPLY_ROOM && wasm.reserveReply(REPLY_ROOM) === 0)
      client.sendReplies(this.replies);
  }

  /** CLIENT REPLY OFF and SKIP: the reply that begins at `replyAt` is taken back. Within EXEC, that sees to it. */
  muffle(client: ClientConnection, replyAt: number): void {
    if (!client.isExecuting && client.mutesReply()) this.replies.truncate(replyAt);
  }
}
