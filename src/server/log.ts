// The log of a node: lines like Redis's, to standard output or appended to `logfile`.
import type { LogLevel } from "../cluster/events.ts";
import { append } from "../io/disk.ts";
import { print, processId } from "../io/process.ts";
import { reasonOf } from "../io/reason.ts";

const LEVELS: readonly LogLevel[] = ["debug", "verbose", "notice", "warning"];
const MARKS: Readonly<Record<LogLevel, string>> = { debug: ".", verbose: "-", notice: "*", warning: "#" };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export class Log {
  /** Lines below this are dropped. */
  level: LogLevel = "notice";
  /** M = master, S = replica. */
  role: "M" | "S" = "M";

  /** @param file absolute path; undefined = standard output */
  constructor(
    private readonly file: string | undefined,
    private readonly nowMs: () => number,
  ) {}

  /** Why nothing can be appended to the file; undefined = it can. */
  fault(): string | undefined {
    try {
      if (this.file !== undefined) append(this.file, "");
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  write(level: LogLevel, text: string): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.level)) return;
    const line = `${processId}:${this.role} ${timeOf(this.nowMs())} ${MARKS[level]} ${onOneLine(text)}\n`;
    if (this.file === undefined) return print(line);
    try {
      append(this.file, line);
    } catch {
      print(line); // a full disk must not silence the reason for what follows
    }
  }
}

/** Control characters escaped: what others sent, and some lines quote it, begins no line and commands no terminal. */
function onOneLine(text: string): string {
  return text.replace(
    // oxlint-disable-next-line no-control-regex
    /[\0-\x1f\x7f-\x9f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** `22 Nov 2026 13:07:14.123`, local time. */
function timeOf(ms: number): string {
  const date = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(date.getDate())} ${MONTHS[date.getMonth()]} ${date.getFullYear()}`;
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return `${day} ${time}.${String(date.getMilliseconds()).padStart(3, "0")}`;
}
