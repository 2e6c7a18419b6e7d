import { describe, expect, test } from "bun:test";
import { History, NO_ID } from "../../../src/replication/history.ts";
import { answerPsync } from "../../../src/replication/psync.ts";

const A = "a".repeat(40);
const B = "b".repeat(40);
const kept = { start: 100, end: 500 };

describe("a master's answer to PSYNC", () => {
  test("goes on from any byte of the backlog and from its end", () => {
    const history = new History(A);
    expect(answerPsync({ replId: A, offset: 101 }, history, kept)).toEqual({
      type: "partial",
      position: 100,
    });
    expect(answerPsync({ replId: A.toUpperCase(), offset: 501 }, history, kept)).toEqual({
      type: "partial",
      position: 500,
    });
  });

  test("starts over outside it", () => {
    const history = new History(A);
    for (const offset of [100, 502, -1, 0, Number.NaN]) {
      expect(answerPsync({ replId: A, offset }, history, kept).type).toBe("full");
    }
    expect(answerPsync({ replId: A, offset: 101 }, history, undefined).type).toBe("full");
  });

  test("starts over for a stranger, and for the id nobody has", () => {
    const history = new History(A);
    expect(answerPsync({ replId: B, offset: 200 }, history, kept).type).toBe("full");
    expect(answerPsync({ replId: "?", offset: -1 }, history, kept).type).toBe("full");
    expect(answerPsync({ replId: NO_ID, offset: 200 }, history, kept).type).toBe("full");
  });

  test("answers for its former id up to where that ended, not beyond", () => {
    const history = new History(A);
    history.shift(B, 300);
    expect(history).toMatchObject({ replId: B, replId2: A, secondOffset: 301 });
    expect(answerPsync({ replId: A, offset: 301 }, history, kept)).toEqual({
      type: "partial",
      position: 300,
    });
    expect(answerPsync({ replId: A, offset: 302 }, history, kept).type).toBe("full");
    expect(answerPsync({ replId: B, offset: 302 }, history, kept)).toEqual({
      type: "partial",
      position: 301,
    });
    history.renew(A);
    expect(answerPsync({ replId: B, offset: 200 }, history, kept).type).toBe("full");
  });
});
