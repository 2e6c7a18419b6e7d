import { expect, test } from "bun:test";
import { type Argument, parseSyntax } from "../../../src/commands/syntax.ts";

/** A tree without what is false or empty. */
function brief(argument: Argument): object {
  const { parts, ...rest } = argument;
  const fields = Object.entries(rest).filter(([, value]) => value !== false && value !== undefined);
  return { ...Object.fromEntries(fields), ...(parts.length > 0 && { parts: parts.map(brief) }) };
}

const parse = (syntax: string, keySpecs = 1): object[] => parseSyntax(syntax, keySpecs).map(brief);

const cases: readonly (readonly [syntax: string, keySpecs: number, tree: readonly object[]])[] = [
  ["", 0, []],
  ["key", 1, [{ name: "key", type: "key", keySpec: 0 }]],
  [
    "key newkey:key",
    2,
    [
      { name: "key", type: "key", keySpec: 0 },
      { name: "newkey", type: "key", keySpec: 1 },
    ],
  ],
  [
    "key1:key key2:key",
    1,
    [
      { name: "key1", type: "key", keySpec: 0 },
      { name: "key2", type: "key", keySpec: 0 },
    ],
  ],
  ["[BY pattern@1]", 2, [{ name: "pattern", type: "pattern", keySpec: 1, token: "BY", optional: true }]],
  ["ip:port !2.8.12", 0, [{ name: "ip:port", type: "string", deprecatedSince: "2.8.12" }]],
  ["KEEPTTL", 0, [{ name: "keepttl", type: "pure-token", token: "KEEPTTL" }]],
  ['equal="="', 0, [{ name: "equal", type: "pure-token", token: "=" }]],
  ['empty_string=""', 0, [{ name: "empty_string", type: "pure-token", token: "" }]],
  [
    "get=GET x",
    0,
    [
      { name: "get", type: "pure-token", token: "GET" },
      { name: "x", type: "string" },
    ],
  ],
  [
    "[GET... pattern]",
    0,
    [{ name: "pattern", type: "pattern", token: "GET", optional: true, multiple: true, multipleToken: true }],
  ],
  [
    "[WEIGHTS weight:integer...]",
    0,
    [{ name: "weight", type: "integer", token: "WEIGHTS", optional: true, multiple: true }],
  ],
  [
    "[LIMIT limit(offset count)]",
    0,
    [
      {
        name: "limit",
        type: "block",
        token: "LIMIT",
        optional: true,
        parts: [
          { name: "offset", type: "integer" },
          { name: "count", type: "integer" },
        ],
      },
    ],
  ],
  [
    "[condition(NX | after(XX when)) ^2.6.12]",
    0,
    [
      {
        name: "condition",
        type: "oneof",
        since: "2.6.12",
        optional: true,
        parts: [
          { name: "nx", type: "pure-token", token: "NX" },
          { name: "after", type: "block", parts: [{ name: "when", type: "string", token: "XX" }] },
        ],
      },
    ],
  ],
  [
    "data(field value)...",
    0,
    [
      {
        name: "data",
        type: "block",
        multiple: true,
        parts: [
          { name: "field", type: "string" },
          { name: "value", type: "string" },
        ],
      },
    ],
  ],
];

test.each(cases)("%s", (syntax, keySpecs, tree) => {
  expect(parse(syntax, keySpecs)).toEqual([...tree]);
});

test.each(["[key", "key]", "a(b | c d)", "a(b", "(a)", "a | b", "[a b]", "^1.0.0"])(
  "%s is a mistake in a row",
  (syntax) => {
    expect(() => parse(syntax)).toThrow("cannot be read");
  },
);
