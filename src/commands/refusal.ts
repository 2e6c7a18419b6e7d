// What a request is told when no row runs it: the command is not known, its subcommand is not, or the number of
// arguments is wrong. The texts quote what the client sent, shortened, as Redis does.
import { REFUSED_ARITY, REFUSED_NO_INPUT_KEYS } from "../../assembly/abi.ts";
import { refusal } from "../engine/refused.ts";
import { ReplyError, noInputKeys, wrongArgumentCount } from "../resp/errors.ts";
import { UNKNOWN, type CommandTable } from "./table.ts";

/** Bytes of an argument or of all arguments quoted at most. */
const QUOTED_LIMIT = 128;

/** The arguments of a request as bytes; one character per byte (latin-1) keeps them as sent. */
export interface QuotedArgs {
  readonly count: number;
  bytes(index: number): Uint8Array;
}

/** Why `table.resolve` found no row for the request. */
export function notFound(table: CommandTable, args: QuotedArgs): ReplyError {
  const name = args.bytes(0);
  const container = table.lookup(name, 0, name.length);
  if (container !== UNKNOWN) {
    const subcommand = quoted(args.bytes(1), QUOTED_LIMIT);
    const help = `${table.rows[container]!.fullName.toUpperCase()} HELP`;
    return new ReplyError(`ERR unknown subcommand '${subcommand}'. Try ${help}.`);
  }
  let shown = "";
  for (let i = 1; i < args.count && shown.length < QUOTED_LIMIT; i++) {
    shown += `'${quoted(args.bytes(i), QUOTED_LIMIT - shown.length)}' `;
  }
  return new ReplyError(
    `ERR unknown command '${quoted(name, QUOTED_LIMIT)}', with args beginning with: ${shown}`,
  );
}

/** Why a request of the wrong length is refused. */
export function wrongArity(table: CommandTable, id: number): ReplyError {
  return wrongArgumentCount(table.rows[id]!.fullName);
}

/** Why the engine refused a request: the error behind a REFUSED_ code, in its words for this command. */
export function engineRefusal(table: CommandTable, id: number, code: number): ReplyError {
  if (code === REFUSED_ARITY) return wrongArity(table, id);
  if (code === REFUSED_NO_INPUT_KEYS) return noInputKeys(table.rows[id]!.fullName);
  return refusal(code);
}

/** Up to `limit` bytes, ended by a zero byte as any text of C is. */
function quoted(bytes: Uint8Array, limit: number): string {
  const zero = bytes.indexOf(0);
  const end = Math.min(limit, zero < 0 ? bytes.length : zero);
  return Array.from(bytes.subarray(0, end), (byte) => String.fromCharCode(byte)).join("");
}
