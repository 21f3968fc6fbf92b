// What the lessons share: a small setting, which takes seconds, and their images.
import { loadData } from "convkit";

/** True with `--small`: few images and epochs. */
export const small = process.argv.includes("--small");

/**
 * Small photographs of cats and dogs where `npx convkit data fetch cats-vs-dogs-32` has put them, else digits of MNIST:
 * `{ train, test, classes, shape }`.
 */
export async function photos() {
  const data = small ? await digits() : await loadData("cats-vs-dogs-32").catch(digits);
  const { train, test } = data;
  console.log(`${train.name}: ${train.size} images for training, ${test.size} for the test`);
  return { train, test, classes: train.classes.length, shape: train.shape };
}

/** Digits of MNIST. */
export const digits = () => loadData("mnist", { limit: small ? 256 : 5000, seed: 1 });
