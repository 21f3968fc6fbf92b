// All lessons, one after the other: `node all.mjs`, and with `--small` in less than a minute.
const lessons = [
  "convolutional-networks",
  "receptive-fields",
  "branches-and-shortcuts",
  "inception",
  "residual-networks",
  "modern-architectures",
  "graph-compiler",
  "importing-weights",
  "fine-tuning",
  "adversarial-images",
];
for (const lesson of lessons) {
  const start = performance.now();
  console.log(`# ${lesson}`);
  await import(`./${lesson}.mjs`);
  console.log(`# ${((performance.now() - start) / 1000).toFixed(1)} s`);
}
