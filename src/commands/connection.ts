// The connection family: who is connected, and how it speaks.
import { clientRow } from "./client.ts";
import { auth, echo, hello, ping, quit, reset, select } from "./connection-handlers.ts";
import { family } from "./family.ts";

export const connectionFamily = family("connection", [
  {
    name: "auth",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    since: "1.0.0",
    complexity: "O(N) where N is the number of passwords defined for the user",
    syntax: "[username ^6.0.0] password",
    history: [["6.0.0", "Added ACL style (username and password)."]],
    summary: "Proves who the client is.",
    run: auth,
  },
  clientRow,
  {
    name: "echo",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    since: "1.0.0",
    complexity: "O(1)",
    syntax: "message",
    summary: "Replies with what it was given.",
    run: echo,
  },
  {
    name: "hello",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    since: "6.0.0",
    complexity: "O(1)",
    syntax: "[arguments(protover:integer [AUTH username_password(username password)] [SETNAME clientname])]",
    history: [
      [
        "6.2.0",
        "`protover` made optional; when called without arguments the command reports the current connection's context.",
      ],
    ],
    summary: "Agrees on the version of the protocol and tells who the server is.",
    run: hello,
  },
  {
    name: "ping",
    arity: -1,
    flags: ["fast"],
    since: "1.0.0",
    complexity: "O(1)",
    syntax: "[message]",
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    summary: "Tells that the server is alive; replies with the message, if any.",
    run: ping,
  },
  {
    name: "quit",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    since: "1.0.0",
    complexity: "O(1)",
    summary: "Closes the connection after its replies.",
    run: quit,
  },
  {
    name: "reset",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    since: "6.2.0",
    complexity: "O(1)",
    summary: "Makes the connection as new.",
    run: reset,
  },
  {
    name: "select",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    since: "1.0.0",
    complexity: "O(1)",
    syntax: "index:integer",
    summary: "Chooses the database of this connection.",
    run: select,
  },
]);
