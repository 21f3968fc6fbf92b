import type { AugmentationPlan } from "@convkit/trainer";
import type { Taught } from "../compute/compute.ts";

/** A program for Node that continues a training, as the texts of its files by name. */
export function nodeProgram(
  { network, judged }: Pick<Taught, "network" | "judged">,
  augment: AugmentationPlan | undefined,
  version: string,
): Readonly<Record<string, string>> {
  const manifest = {
    name: "continued-training",
    private: true,
    type: "module",
    scripts: { start: "node continue.mjs" },
    dependencies: { convkit: version },
  };
  const loading =
    judged === "validation"
      ? `const found = await loadData("pictures", { ...images, validation: 0.2, stratify: true, seed: 1 });
const data = { train: matchClasses(found.train, classes), validation: matchClasses(found.validation, classes) };
// Split anew: the page has learned from some of these pictures, so that the accuracy before is too high.
const judged = data.validation;`
      : `const found = await loadData("pictures", images);
// Too few pictures to keep some for validation: the network is judged by those that it learns from.
const data = { train: matchClasses(found.train, classes) };
const judged = data.train;`;
  const call = network === "small" ? "train" : "fineTune";
  const training =
    network === "small"
      ? `await train({ model, data, preprocessing, augment, optimizer: { name: "adam", learningRate: 3e-4 }, epochs: 10 });`
      : `await fineTune(model, data, { preprocessing, augment, headEpochs: 1, epochs: 3 });`;
  return {
    "package.json": `${JSON.stringify(manifest, undefined, 2)}\n`,
    "continue.mjs": `// Continues the training of model.keras on the pictures beside it: npm install, then npm start.
import { evaluate, ${call}, loadData, loadModel, modelMetadata, saveModel, useEngine } from "convkit";
import { matchClasses } from "convkit/datasets";

await useEngine();
const model = await loadModel("model.keras");
const { classes, images, preprocessing } = modelMetadata(model);

// The folders of pictures in the order of the model's classes.
${loading}
const augment = ${JSON.stringify(augment)};

const before = await evaluate(model, judged, { preprocessing });
${training}
const after = await evaluate(model, judged, { preprocessing });
console.log(\`accuracy \${before.accuracy.toFixed(3)} before, \${after.accuracy.toFixed(3)} after\`);
await saveModel(model, "continued.keras");
`,
    "README.md": `# A network from convkit's playground

\`\`\`sh
npm install
npx convkit engine install
npm start
\`\`\`

\`continue.mjs\` continues the training on \`pictures\`, one folder for each class, and writes \`continued.keras\`. What the network sees in a
picture: \`npx convkit predict model.keras picture.jpg\`.
`,
  };
}
