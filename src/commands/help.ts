// The replies of `<CONTAINER> HELP`: a headline, then each form of the command with an indented remark.
import type { Reply } from "../resp/reply.ts";

export type HelpLine = readonly [form: string, remark: string];

/** HELP itself is added as the last form. */
export function writeHelp(container: string, lines: readonly HelpLine[], reply: Reply): void {
  const own: HelpLine = ["HELP", "Print these lines."];
  reply.array(1 + (lines.length + 1) * 2);
  reply.simple(`${container} <subcommand> [<arg> [value] [opt] ...]. Subcommands are:`);
  for (const [form, remark] of [...lines, own]) {
    reply.simple(form);
    reply.simple(`    ${remark}`);
  }
}
