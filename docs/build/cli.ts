// The page of the command line, from the commands' own declarations.
import { writeFileSync } from "node:fs";
import { commands } from "../../apps/cli/src/commands/index.ts";
import type { CommandTree } from "../../apps/cli/src/terminal/command.ts";
import { globalOptionTable } from "../../apps/cli/src/terminal/global-options.ts";
import { flagOf, type OptionTable } from "../../apps/cli/src/terminal/option.ts";

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("<", "&lt;");

function table(options: OptionTable): string {
  const rows = Object.entries(options).map(([name, { value, about, negated, required, choices }]) => {
    const flag = negated === true ? flagOf(name).replace("--", "--no-") : flagOf(name);
    const words = choices === undefined ? "" : ` One of ${choices.map((word) => `\`${word}\``).join(", ")}.`;
    const form = `${flag} ${value}`.trim().replaceAll("|", "\\|");
    return `| \`${form}\` | ${cell(about)}${required === true ? ", required" : ""}${words && `.${words}`} |`;
  });
  return ["| option | |", "|---|---|", ...rows].join("\n");
}

async function sections(tree: CommandTree, prefix: string): Promise<string[]> {
  const parts: string[] = [];
  for (const [name, entry] of Object.entries(tree)) {
    const full = `${prefix} ${name}`;
    if ("commands" in entry) {
      parts.push(`## ${full}\n\n${capital(entry.about)}.`, ...(await sections(entry.commands, full)));
      continue;
    }
    const { options = {} } = await entry.load();
    const level = prefix === "convkit" ? "##" : "###";
    parts.push(`${level} ${full}`, `${capital(entry.about)}.`, `    ${full} ${entry.usage}`.trimEnd());
    if (Object.keys(options).length > 0) parts.push(table(options));
  }
  return parts;
}

const capital = (text: string): string => cell(text.charAt(0).toUpperCase() + text.slice(1));

const [out] = process.argv.slice(2);
const intro = `# Command line

Every command and option of \`convkit\`, written from the declarations that the command itself uses. Guides and examples:
[@convkit/cli](../apps/cli/README.md).

- Exit status: 0 done, 1 the work failed, 2 bad usage, 130 interrupted, 143 terminated.
- With \`--json\`, standard output is exactly one JSON document.

## Options of every command

These may stand before the command's name or after it.

${table(globalOptionTable)}
`;
writeFileSync(out!, `${[intro, ...(await sections(commands, "convkit"))].join("\n\n")}\n`);
