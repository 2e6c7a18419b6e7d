// The arguments of a command, written as one line, and their tree as COMMAND DOCS prints it. The notation is
// close to the one of the commands' manual pages:
//
//   key                       an argument by its name. Its type is that of `typeOfName`, else a string
//   increment:double          its type said: string integer double key pattern unix-time
//   key@1                     a key of the key spec with that number. Unsaid, keys count up from spec 0 and stay at
//                             the row's last one
//   KEEPTTL  change=CH        a word to be written as it is (its name: the word in lower case, or as given).
//                             Words are upper case, or quoted: equal="="
//   EX seconds                an argument behind a word. A word with a name of its own (limit=LIMIT) stands alone
//   limit(offset count)       several in a row, under a name
//   condition(NX | XX)        one of several
//   LIMIT limit(offset count) either of them behind a word
//   [key]  key...             may be left out; may be repeated: [key...] both
//   GET... pattern            repeated together with its word: GET a GET b
//   seconds ^2.6.12           is there since that version; !2.8.12 is deprecated since that one
//
// SET: key value [condition(NX | XX) ^2.6.12] [GET ^6.2.0] [expiration(EX seconds ^2.6.12 | ... | KEEPTTL ^6.0.0)]

const argumentTypes = [
  "string",
  "integer",
  "double",
  "key",
  "pattern",
  "unix-time",
  "pure-token",
  "oneof",
  "block",
] as const;
export type ArgumentType = (typeof argumentTypes)[number];

/** An argument as COMMAND DOCS prints it, fields in its order. */
export interface Argument {
  readonly name: string;
  readonly type: ArgumentType;
  readonly keySpec?: number;
  readonly token?: string;
  readonly since?: string;
  readonly deprecatedSince?: string;
  readonly optional: boolean;
  readonly multiple: boolean;
  readonly multipleToken: boolean;
  readonly parts: readonly Argument[];
}

/** What an argument of this name is when its type is not said. */
export const typeOfName: Readonly<Record<string, ArgumentType>> = {
  key: "key",
  pattern: "pattern",
  count: "integer",
  cursor: "integer",
  milliseconds: "integer",
  numkeys: "integer",
  offset: "integer",
  port: "integer",
  seconds: "integer",
  slot: "integer",
  "unix-time-seconds": "unix-time",
  "unix-time-milliseconds": "unix-time",
};

/**
 * @param keySpecs how many key specs the row has
 * @throws Error naming the syntax when it is not in the notation: a mistake in a row
 */
export function parseSyntax(syntax: string, keySpecs: number): readonly Argument[] {
  const parser = new Parser(syntax, keySpecs);
  const parts = parser.sequence();
  parser.end();
  return parts;
}

/** `name="TOKEN"` and `"TOKEN"...`, `]...`, brackets and bars, or anything else between blanks and brackets. */
const pieces = /(?:[^\s[\]()|"]+=)?"[^"]*"(?:\.\.\.)?|[\])]\.\.\.|[[\]()|]|[^\s[\]()|"]+/g;
const word = /^(?:([^="]+)=)?(?:"([^"]*)"|([A-Z][A-Z0-9_-]*))(\.\.\.)?$/;
const operand = /^(.*?)(?::(string|integer|double|key|pattern|unix-time))?(?:@(\d+))?(\.\.\.)?$/;

interface Word {
  readonly name: string | undefined;
  readonly token: string;
  readonly repeats: boolean;
}

class Parser {
  readonly #pieces: readonly string[];
  #at = 0;
  #nextKeySpec = 0;

  constructor(
    private readonly syntax: string,
    private readonly keySpecs: number,
  ) {
    this.#pieces = syntax.match(pieces) ?? [];
  }

  /** Arguments up to a closing bracket, a bar or the end. */
  sequence(): Argument[] {
    const parts: Argument[] = [];
    for (let piece = this.#peek(); piece !== undefined && !/^[\])|]/.test(piece); piece = this.#peek()) {
      parts.push(this.#argument());
    }
    return parts;
  }

  end(): void {
    if (this.#at < this.#pieces.length) this.#fail();
  }

  #argument(): Argument {
    if (this.#peek() !== "[") return this.#marked(this.#plain());
    this.#at++;
    const inner = this.#argument();
    if (this.#take() !== "]") this.#fail();
    return { ...inner, optional: true };
  }

  #plain(): Argument {
    const found = this.#word();
    if (found === undefined) return this.#named({});
    const { name, token, repeats } = found;
    if (name === undefined && this.#isOperandNext()) {
      const argument = this.#named({ token });
      return repeats ? { ...argument, multiple: true, multipleToken: true } : argument;
    }
    return argumentOf({ name: name ?? token.toLowerCase(), type: "pure-token", token, multiple: repeats });
  }

  /** A name with what follows it: a type, or a bracket with its parts. */
  #named(before: { token?: string }): Argument {
    const piece = this.#take() ?? this.#fail();
    const [, name, saidType, saidSpec, repeats] = operand.exec(piece) ?? this.#fail();
    if (name === undefined || !/^[^\s^![\]()|]+$/.test(name)) return this.#fail();
    if (this.#peek() === "(") return this.#group({ name, ...before });
    const type = (saidType as ArgumentType | undefined) ?? typeOfName[name] ?? "string";
    const multiple = repeats !== undefined;
    if (saidSpec === undefined && type !== "key") return argumentOf({ name, type, ...before, multiple });
    const keySpec =
      saidSpec === undefined ? Math.min(this.#nextKeySpec, this.keySpecs - 1) : Number(saidSpec);
    this.#nextKeySpec = keySpec + 1;
    return argumentOf({ name, type, keySpec, ...before, multiple });
  }

  #group(head: { name: string; token?: string }): Argument {
    this.#at++;
    const alternatives = [this.sequence()];
    while (this.#peek() === "|") {
      this.#at++;
      alternatives.push(this.sequence());
    }
    const close = this.#take();
    if (close !== ")" && close !== ")...") this.#fail();
    const type = alternatives.length === 1 ? "block" : "oneof";
    if (type === "oneof" && alternatives.some((parts) => parts.length !== 1)) this.#fail();
    return argumentOf({ ...head, type, multiple: close === ")...", parts: alternatives.flat() });
  }

  /** Adds the versions that follow an argument. */
  #marked(argument: Argument): Argument {
    let marked = argument;
    for (let piece = this.#peek(); piece?.startsWith("^") || piece?.startsWith("!"); piece = this.#peek()) {
      const version = piece.slice(1);
      marked = piece.startsWith("^")
        ? { ...marked, since: version }
        : { ...marked, deprecatedSince: version };
      this.#at++;
    }
    return marked;
  }

  #word(): Word | undefined {
    const match = word.exec(this.#peek() ?? "");
    if (match === null) return undefined;
    this.#at++;
    const [, name, quoted, bare, repeats] = match;
    return { name, token: quoted ?? bare ?? this.#fail(), repeats: repeats !== undefined };
  }

  #isOperandNext(): boolean {
    const piece = this.#peek();
    return piece !== undefined && !/^[[\]()|^!]/.test(piece) && !word.test(piece);
  }

  #peek(): string | undefined {
    return this.#pieces[this.#at];
  }

  #take(): string | undefined {
    return this.#pieces[this.#at++];
  }

  #fail(): never {
    const near = this.#pieces.slice(Math.max(0, this.#at - 1)).join(" ");
    throw new Error(`syntax "${this.syntax}" cannot be read near "${near}"`);
  }
}

function argumentOf(fields: Pick<Argument, "name" | "type"> & Partial<Argument>): Argument {
  return { optional: false, multiple: false, multipleToken: false, parts: [], ...fields };
}
