// What a master answers to PSYNC: go on from an offset, or start over with a full copy; and what a replica makes of it.
import { type History, isOffset, isReplId } from "./history.ts";

export interface PsyncRequest {
  /** The history the replica believes in; `?` when it has none. */
  readonly replId: string;
  /** The first byte it lacks, counted from one. */
  readonly offset: number;
}

export type PsyncAnswer =
  /** @param position where the replica's reader of the log begins */
  | { readonly type: "partial"; readonly position: number }
  /** @param reason for the log, never sent */
  | { readonly type: "full"; readonly reason: string };

/**
 * Decides on a PSYNC.
 * 1. The id is ours, or our former one and the offset not beyond where that ended.
 * 2. Every byte from the offset on is still in the log.
 * @param kept first and last offset of the log a replica may start at; undefined = no backlog is kept
 */
export function answerPsync(
  request: PsyncRequest,
  history: Readonly<History>,
  kept: { readonly start: number; readonly end: number } | undefined,
): PsyncAnswer {
  const id = request.replId.toLowerCase();
  const ours = id === history.replId;
  const former = id === history.replId2 && request.offset <= history.secondOffset;
  if (!ours && !former) {
    if (id === "?") return full("a full copy was asked for");
    if (id !== history.replId2)
      return full(`replication id ${request.replId} is neither ${history.replId} nor ${history.replId2}`);
    return full(`offset ${request.offset} is beyond ${history.secondOffset}, where the former id ended`);
  }
  if (kept === undefined) return full("no backlog is kept");
  const position = request.offset - 1;
  if (!(position >= kept.start && position <= kept.end)) {
    return full(`offset ${request.offset} is not within the backlog, ${kept.start + 1} to ${kept.end + 1}`);
  }
  return { type: "partial", position };
}

function full(reason: string): PsyncAnswer {
  return { type: "full", reason };
}

/** What a master's answer to PSYNC means to the replica that asked. */
export type PsyncReply =
  | { readonly type: "full"; readonly replId: string; readonly offset: number }
  /** @param replId the id the history goes on under; undefined = as before */
  | { readonly type: "partial"; readonly replId: string | undefined }
  /** It may answer otherwise another time. */
  | { readonly type: "notNow" }
  /** It is a master from before PSYNC. */
  | { readonly type: "unknown" }
  | { readonly type: "wrong" };

/** @param hasData whether there is something to go on from */
export function readPsyncAnswer(line: string, hasData: boolean): PsyncReply {
  const [word, replId, offset = ""] = line.split(" ");
  if (word === "+FULLRESYNC") {
    const isRight = isReplId(replId ?? "") && /^\d+$/.test(offset) && isOffset(Number(offset));
    return isRight ? { type: "full", replId: replId ?? "", offset: Number(offset) } : { type: "wrong" };
  }
  if (word === "+CONTINUE") {
    // An id that is given must be one that others can ask us by.
    const isRight = hasData && (replId === undefined || isReplId(replId));
    return isRight ? { type: "partial", replId } : { type: "wrong" };
  }
  if (/^-(NOMASTERLINK|LOADING|NOAUTH|NOPERM|MASTERDOWN)/.test(line)) return { type: "notNow" };
  return { type: line.startsWith("-") ? "unknown" : "wrong" };
}
