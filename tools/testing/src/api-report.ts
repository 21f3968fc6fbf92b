import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

/** An exported name and its declarations, without comments. */
interface Exported {
  readonly name: string;
  readonly text: string;
}

/** The public surface of a package as one page: every name that its entries export, with its declaration. */
export async function apiReport(folder: string): Promise<string> {
  const { name } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { name: string };
  const out = mkdtempSync(join(tmpdir(), "convkit-api-"));
  try {
    const flags = ["--emitDeclarationOnly", "--outDir", out];
    await promisify(execFile)(join(folder, "node_modules/.bin/tsc"), ["-p", "tsconfig.build.json", ...flags], {
      cwd: folder,
    });
    const sections = publicEntries(folder).map(([subpath, source]) => {
      const file = join(out, source.replace("./src/", "").replace(/\.ts$/, ".d.ts"));
      const rows = exportedFrom(file).toSorted((a, b) => (a.name < b.name ? -1 : 1));
      const title = join(name, subpath);
      return `## ${title}\n\n\`\`\`ts\n${rows.map(({ text }) => text).join("\n\n")}\n\`\`\`\n`;
    });
    return `# Public surface of ${name}\n\nWritten by \`pnpm api\`; a test compares it.\n\n${sections.join("\n")}`;
  } finally {
    rmSync(out, { recursive: true });
  }
}

/** The entries of a package for users, as they are in Node: the path after the package's name, and the source file. */
export function publicEntries(folder: string): [subpath: string, source: string][] {
  const { exports } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    exports: Record<string, string | { readonly default?: string }>;
  };
  return Object.entries(exports)
    .filter(([subpath]) => !["./internal", "./platform", "./system"].includes(subpath))
    .map(([subpath, entry]): [string, string] => [subpath, typeof entry === "string" ? entry : (entry.default ?? "")])
    .filter(([, source]) => source.endsWith(".ts"));
}

/** The names that a package's main entry exports, read from its source. */
export function exportedNames(folder: string): string[] {
  const namesIn = (file: string): string[] => {
    const text = readFileSync(file, "utf8");
    const others = wholeReexports(text).flatMap((from) => namesIn(join(dirname(file), from)));
    return [...reexports(text).flatMap(({ names }) => names.map(({ as }) => as)), ...others];
  };
  return namesIn(join(folder, "src/index.ts"));
}

function exportedFrom(file: string): Exported[] {
  const text = readFileSync(file, "utf8");
  const own = statements(text).flatMap((statement): Exported[] => {
    const name = declaredName(statement);
    return name !== undefined && statement.startsWith("export ") ? [{ name, text: statement }] : [];
  });
  const others = reexports(text).flatMap(({ from, names }) => {
    const target = join(dirname(file), from.replace(/\.[jt]s$/, ".d.ts"));
    const there = from.startsWith(".") ? declarations(target) : new Map<string, string>();
    return names.map(({ name, as }): Exported => {
      const found = there.get(name) ?? `export { ${name} } from "${from}";`;
      return { name: as, text: as === name ? found : `${found}\n// exported as ${as}` };
    });
  });
  const whole = wholeReexports(text).flatMap((from) =>
    exportedFrom(join(dirname(file), from.replace(/\.[jt]s$/, ".d.ts"))),
  );
  return [...merged(own), ...others, ...whole];
}

/** Declarations of a file by name, exported again from elsewhere or not. */
function declarations(file: string): Map<string, string> {
  const all = statements(readFileSync(file, "utf8")).flatMap((text): Exported[] => {
    const name = declaredName(text);
    return name === undefined ? [] : [{ name, text: text.replace(/^export (declare )?/, "export $1") }];
  });
  return new Map([...exportedFrom(file), ...merged(all)].map(({ name, text }) => [name, text]));
}

/** Overloads, and a type and a value of one name, as one. */
function merged(rows: readonly Exported[]): Exported[] {
  const byName = new Map<string, string[]>();
  for (const { name, text } of rows) byName.set(name, [...(byName.get(name) ?? []), text]);
  return [...byName].map(([name, texts]) => ({ name, text: texts.join("\n") }));
}

/** The statements of a declaration file; a statement starts at the beginning of a line. */
function statements(text: string): string[] {
  const bare = text.replaceAll(/[ \t]*\/\*[\s\S]*?\*\/\n?/g, "").replaceAll(/^\s*\/\/.*\n/gm, "");
  const result: string[] = [];
  for (const line of bare.split("\n")) {
    if (line.trim() === "") continue;
    if (/^[\w@]/.test(line)) result.push(line);
    else if (result.length > 0) result[result.length - 1] += `\n${line}`;
  }
  return result;
}

function declaredName(statement: string): string | undefined {
  const declared =
    /^(?:export )?(?:declare )?(?:abstract )?(?:async )?(?:function|class|const|let|interface|type|enum|namespace) (\w+)/;
  return declared.exec(statement)?.[1];
}

/** The files of this package from which everything is exported again. */
function wholeReexports(text: string): string[] {
  return [...text.matchAll(/export \* from "(\.[^"]+)"/g)].map(([, from = ""]) => from);
}

function reexports(text: string): { from: string; names: { name: string; as: string }[] }[] {
  return [...text.matchAll(/export (?:type )?\{([^}]*)\} from "([^"]+)"/g)].map(([, list = "", from = ""]) => ({
    from,
    names: list
      .split(",")
      .map((each) => each.trim().replace(/^type /, ""))
      .filter((each) => each !== "")
      .map((each) => {
        const [name = "", as = name] = each.split(" as ");
        return { name, as };
      }),
  }));
}
