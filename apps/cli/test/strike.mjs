// Preloaded into a command of a test: sends its own process a signal at a place of its work, not at a time, so that every run of
// the test is struck alike. That is right before a file appears under its name, or some looks at the clock, of which every
// training step takes a few, after that.
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const { signal, path, nth, looks } = JSON.parse(process.env.STRIKE);
const pattern = new RegExp(path);
const { rename } = fs;
let files = 0;
let counted = 0;

fs.rename = async (from, to) => {
  if (pattern.test(String(to))) files += 1;
  if (looks === 0 && files === nth) process.kill(process.pid, signal);
  await rename(from, to);
};
syncBuiltinESMExports();

const now = performance.now.bind(performance);
performance.now = () => {
  if (looks > 0 && files >= nth) counted += 1;
  if (counted === looks && looks > 0) {
    counted = Number.NaN;
    process.kill(process.pid, signal);
  }
  return now();
};
