import { cases } from "./cases.ts";

/** The `list` command. */
export function list(): void {
  const width = Math.max(...cases.map(({ name }) => name.length));
  for (const { name, systems, quick } of cases)
    process.stdout.write(`${name.padEnd(width)}  ${quick ? "quick" : "     "}  ${systems.join(", ")}\n`);
}
