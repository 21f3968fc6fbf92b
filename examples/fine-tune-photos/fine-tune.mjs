import { mkdir } from "node:fs/promises";
import sharp from "sharp";
import { createModel, evaluate, freeze, loadData, replaceHead, saveModel, train, useEngine } from "convkit";

// Photographs of your own: one folder a class. Here they are drawn, so that the example needs no download.
const shapes = {
  circle: '<circle cx="32" cy="32" r="20"/>',
  cross: '<path d="M10 10 L54 54 M54 10 L10 54" stroke-width="9"/>',
  square: '<rect x="12" y="12" width="40" height="40"/>',
};
for (const [name, shape] of Object.entries(shapes)) {
  await mkdir(`photos/${name}`, { recursive: true });
  for (let i = 0; i < 24; i++) {
    const color = `hsl(${i * 40}, 70%, 50%)`;
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><g fill="${color}" stroke="${color}" transform="rotate(${i * 4} 32 32)">${shape}</g></svg>`;
    await sharp(Buffer.from(svg)).flatten({ background: "#ddd" }).jpeg().toFile(`photos/${name}/${i}.jpg`);
  }
}

await useEngine();

// A network that has learned something else: here digits, for a few seconds. In earnest it is
// createModel("resnet18", { weights: "imagenet" }), which downloads 45 MB once.
const digits = await loadData("mnist", { limit: 1500 });
const pretrained = createModel("lenet5", { seed: 1 });
await train({ model: pretrained, data: digits.train, optimizer: "adam", epochs: 2, progress: false });

const photos = await loadData("photos", { size: [28, 28], channels: 1, validation: 0.25, seed: 1 });
const model = replaceHead(pretrained, photos.train.classes.length);

// First the new head alone, then everything.
freeze(model, model.layers.at(-2).name);
await train({ model, data: photos, optimizer: "adam", epochs: 10, batch: 16, progress: false });
for (const layer of model.layers) layer.trainable = true;
await train({
  model,
  data: photos,
  optimizer: "adam",
  augment: { flip: "horizontal" },
  epochs: 10,
  batch: 16,
  progress: false,
});

const { accuracy } = await evaluate(model, photos.validation);
console.log(`classes: ${photos.train.classes.join(", ")}`);
console.log(`${(100 * accuracy).toFixed(0)} % of ${photos.validation.size} held-out photographs are right`);
await saveModel(model, "photos.keras");
