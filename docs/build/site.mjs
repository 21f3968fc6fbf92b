// `pnpm site`: gathers the pages, writes the generated ones, renders them with VitePress, and makes every
// link relative, so that the folder `dist` opens from disk and from any address.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vitepress";
import { writeApi } from "./api.mjs";
import { drawFigures, withFigures } from "./figures.mjs";
import { brokenLinks } from "./links.mjs";
import { groupsOf } from "./pages.mjs";
import { withPlays, writePlay } from "./play.mjs";
import { searchDocuments } from "./search.mjs";

const docs = fileURLToPath(new URL("..", import.meta.url));
const root = join(docs, "..");
const source = join(docs, ".site");
const dist = join(docs, "dist");

rmSync(source, { recursive: true, force: true });
rmSync(dist, { recursive: true, force: true });
mkdirSync(join(source, "public"), { recursive: true });

await writeApi(root, join(source, "api"));
const cli = spawnSync(process.execPath, ["--import", "tsx", "build/cli.ts", join(source, "cli.md")], {
  cwd: docs,
  stdio: "inherit",
});
if (cli.status !== 0) throw new Error("The page of the command line could not be written.");

const groups = groupsOf(root);
const places = new Map(groups.flatMap(({ pages }) => pages.map(({ source, path }) => [source, path])));
const figures = [];
for (const [file, path] of places) {
  const generated = file.startsWith("generated/");
  const text = readFileSync(generated ? join(source, `${path}.md`) : join(root, file), "utf8");
  mkdirSync(dirname(join(source, `${path}.md`)), { recursive: true });
  const page = relinked(text, path === "cli" ? "docs/cli.md" : file);
  writeFileSync(join(source, `${path}.md`), withPlays(withFigures(page, path, figures)));
}
drawFigures(figures, docs, join(source, "public/pictures"));
rmSync(join(source, "api/README.md"), { force: true });

const minisearch = createRequire(import.meta.url).resolve("minisearch");
copyFileSync(join(dirname(minisearch), "../umd/index.js"), join(source, "public/minisearch.js"));
copyFileSync(join(docs, "build/page.js"), join(source, "public/page.js"));
await writePlay(docs, join(source, "public/play.js"));

process.env.CONVKIT_SITE = JSON.stringify(
  groups.map(({ text, pages }) => ({ text, items: pages.map(({ text, path }) => ({ text, link: linkOf(path) })) })),
);
await build(docs);

const documents = [];
for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (file.endsWith(".css")) {
    const css = readFileSync(join(dist, file), "utf8");
    writeFileSync(join(dist, file), css.replaceAll(/url\(\/assets\//g, "url(./"));
  }
  if (!file.endsWith(".html")) continue;
  const up = posix.relative(posix.dirname(file), ".") || ".";
  const html = readFileSync(join(dist, file), "utf8")
    .replaceAll(/(href|src)="\/(?!\/)([^"]*)"/g, (_, name, path) => `${name}="${up}/${whole(path)}"`)
    .replaceAll(/<td([^>]*)>([\d.,]+(?: [\dx.,%]+)+)<\/td>/g, '<td$1 class="number">$2</td>')
    .replace("<html ", `<html data-root="${up}/" `);
  writeFileSync(join(dist, file), html);
  documents.push(...searchDocuments(file, html));
}
const broken = brokenLinks(dist);
if (broken.length > 0) throw new Error(`Links lead nowhere:\n${broken.join("\n")}`);
writeFileSync(join(dist, "search.js"), `window.searchDocuments=${JSON.stringify(documents)};\n`);

/** A page's place as VitePress knows it, which calls the index of a folder by the folder: else it takes "Start" for the page after "Start". */
function linkOf(path) {
  return `/${path.replace(/(^|\/)index$/, "$1")}`;
}

/** A path that names a file: "/" is "/index.html" from disk. */
function whole(path) {
  const [place, hash] = path.split("#");
  const file = place === "" || place.endsWith("/") ? `${place}index.html` : place;
  return hash === undefined ? file : `${file}#${hash}`;
}

/** A page's text with its links, which are those of the repository, as links of the site. Images are copied; links to files that are no page become text. */
function relinked(text, file) {
  const parts = text.split(/(```[\s\S]*?```|<!--[\s\S]*?-->)/);
  const folder = posix.dirname(file);
  const link = (target) => {
    if (/^(https?:|mailto:|#)/.test(target) || file.startsWith("generated/")) return target;
    const [name, hash = ""] = target.split(/(?=#)/);
    const wanted = posix.join(folder, name).replace(/\/$/, "");
    const found = [wanted, `${wanted}/README.md`].find((each) => places.has(each));
    return found === undefined
      ? undefined
      : `/${places.get(found)}${places.get(found).endsWith("index") ? "" : ".html"}${hash}`.replace(/index$/, "");
  };
  const image = (target) => {
    const from = join(root, folder, target);
    if (!existsSync(from)) throw new Error(`${file} shows the picture ${target}, which is not there.`);
    mkdirSync(join(source, "public/pictures"), { recursive: true });
    copyFileSync(from, join(source, "public/pictures", basename(target)));
    return `/pictures/${basename(target)}`;
  };
  const convert = (part) =>
    part
      .replaceAll(/(src(?:set)?)="(?!https?:)([^"]+)"/g, (_, name, target) => `${name}="${image(target)}"`)
      .replaceAll(/!\[([^\]]*)\]\((?!https?:)([^)\s]+)\)/g, (_, alt, target) => `![${alt}](${image(target)})`)
      .replaceAll(/(?<!!)\[([^\]]*)\]\(([^)\s]+)\)/g, (all, label, target) => {
        const to = link(target);
        return to === undefined ? label : `[${label}](${to})`;
      });
  return parts.map((part, index) => (index % 2 === 0 ? convert(part) : part)).join("");
}
