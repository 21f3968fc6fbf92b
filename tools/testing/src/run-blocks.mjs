// Runs the blocks of the site's pages in a project where convkit is installed, all in one process: `node run-blocks.mjs blocks.json`
// puts what each of them printed in the place of the blocks.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { createModel, fromArrays, saveModel, useEngine } from "convkit";
import { writeImageFolder } from "convkit/datasets";
import { runCli } from "./node_modules/@convkit/cli/dist/program.js";

const home = process.cwd();
const blocks = JSON.parse(readFileSync("blocks.json", "utf8"));
let output = "";
let complaints = "";
process.stdout.write = (text) => ((output += String(text)), true);
process.stderr.write = (text) => ((complaints += String(text)), true);

/** What readers of the pages have already: three classes of photographs, and weights of a ResNet-18. */
async function prepare(folder) {
  const side = 64;
  const images = new Uint8Array(48 * side * side * 3).map((_, at) => (at * 2_654_435_761) >>> 13);
  const labels = Int32Array.from({ length: 48 }, (_, image) => image % 3);
  const photos = fromArrays({ images, shape: [side, side, 3], labels, classes: ["circle", "cross", "square"] });
  await writeImageFolder(photos, join(folder, "photos"), { format: "jpeg" });
  await saveModel(createModel("resnet18"), join(folder, "resnet18.safetensors"));
}

async function outcome({ file, lines }) {
  output = "";
  complaints = "";
  try {
    if (file !== undefined) await import(pathToFileURL(join(home, file)).href);
    for (const line of lines ?? []) {
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, word]) => quoted ?? word);
      const status = await runCli(words.slice(2));
      if (status !== 0) return { output, error: `${line} ended with ${status}: ${complaints}` };
    }
    return { output };
  } catch (error) {
    return { output, error: error.stack ?? String(error) };
  }
}

// As the first page says: TensorFlow is put on the machine, where it can be.
await runCli(["engine", "install"]);
await useEngine();
mkdirSync("shared");
await prepare("shared");
const outcomes = [];
let page;
for (const block of blocks) {
  if (block.page !== page) {
    process.chdir(home);
    cpSync("shared", (page = block.page), { recursive: true });
  }
  process.chdir(join(home, page));
  const start = performance.now();
  outcomes.push({ ...(await outcome(block)), milliseconds: Math.round(performance.now() - start) });
}
writeFileSync(join(home, "blocks.json"), JSON.stringify(outcomes));
process.exit(0);
