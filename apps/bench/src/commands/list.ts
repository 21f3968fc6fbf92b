import { cases } from "../cases/cases.ts";

/** The `list` command. */
export function list({ json = false }: { json?: boolean }): void {
  if (json) {
    const all = cases.map(({ name, unit, quick, systems }) => ({ name, unit, quick, systems }));
    process.stdout.write(`${JSON.stringify(all, null, 2)}\n`);
    return;
  }
  const width = Math.max(...cases.map(({ name }) => name.length));
  for (const { name, systems, quick } of cases)
    process.stdout.write(`${name.padEnd(width)}  ${quick ? "quick" : "     "}  ${systems.join(", ")}\n`);
}
