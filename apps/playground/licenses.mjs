// The licenses of the packages that were bundled, as their authors ask for them to go along.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The texts of the licenses by package, from the inputs of an esbuild metafile; ours is the package's own. */
export function licensesOf({ inputs }, here) {
  const folders = Object.keys(inputs).flatMap(
    (path) => /^\.\..*\/node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/u.exec(path)?.[0] ?? [],
  );
  const texts = [...new Set(folders)].toSorted().map((folder) => {
    const at = join(here, folder);
    const { name, version, license } = JSON.parse(readFileSync(join(at, "package.json"), "utf8"));
    const files = readdirSync(at, { withFileTypes: true }).filter(
      (entry) => entry.isFile() && /^(?:licen[cs]e|notice)/iu.test(entry.name),
    );
    const text = files.map((file) => `\n\n${readFileSync(join(at, file.name), "utf8").trim()}`).join("");
    return `${name} ${version}, ${license}${text}`;
  });
  return `${texts.join(`\n\n${"-".repeat(80)}\n\n`)}\n`;
}
