import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, it } from "vitest";

/** A minified bundle for the browser: its size gzipped, in kB, and the files in it. A Node module in the bundle is an error. */
async function bundled(contents: string, external: string[] = []): Promise<{ kilobytes: number; files: string[] }> {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    bundle: true,
    write: false,
    minify: true,
    metafile: true,
    platform: "browser",
    format: "esm",
    legalComments: "none",
    logLevel: "silent",
    external,
  });
  return { kilobytes: gzipSync(outputFiles[0]!.contents).length / 1000, files: Object.keys(metafile.inputs) };
}

/** The most kB that everything of a package may take in a page, gzipped, without tfjs: a tenth more than it took when this was written. */
const budgets = {
  errors: 1.6,
  files: 1.8,
  core: 31,
  blocks: 16,
  augment: 18,
  models: 47,
  graph: 7.6,
  engine: 15,
  datasets: 48,
  // Readers and writers of all formats; a page that only loads .keras files takes less.
  weights: 278,
  // Graphviz, which places the boxes of drawings, takes most of it.
  inspect: 610,
  trainer: 147,
  // The readers of all formats and the zoo, which a page that splits its bundle loads when a file needs them.
  predict: 386,
  report: 0.4,
  convkit: 1011,
} as const;

it.each(Object.entries(budgets))("all of %s bundles for a page in at most %d kB", async (name, most) => {
  const from = name === "convkit" ? name : `@convkit/${name}`;
  const { kilobytes } = await bundled(`export * from "${from}";`, ["@tensorflow/*"]);
  expect(kilobytes).toBeLessThan(most);
});

it("LeNet-5 with what builds it takes at most 116 kB with tfjs and its gradients, and nothing of tfjs twice", async () => {
  const { kilobytes, files } = await bundled(
    'import { build } from "@convkit/core"; import { lenet5 } from "@convkit/models"; export const model = () => build(lenet5);',
  );
  expect(kilobytes).toBeLessThan(116);
  const tfjs = files.filter((file) => file.includes("@tensorflow/"));
  const homes = new Set(tfjs.map((file) => file.slice(0, file.lastIndexOf("/dist/"))));
  expect([...homes].map((home) => home.split("/").at(-1)).toSorted()).toEqual(["tfjs-core", "tfjs-layers"]);
  expect(tfjs.filter((file) => /\.(?:node|umd|fesm)\b|tf-core/u.test(file))).toEqual([]);
});

it("a network takes at most 13.7 kB of convkit, whose other packages stay out", async () => {
  const { kilobytes } = await bundled(
    'import { chain, dense, network } from "convkit"; export const model = () => network([4], chain([dense(2)]));',
    ["@tensorflow/*"],
  );
  expect(kilobytes).toBeLessThan(13.7);
});
