import process from "node:process";

import { installEngine } from "../../src/index.ts";

/** Installs into the cache that the environment names, and tells each step. */
const { folder } = await installEngine({
  onProgress: ({ step, message, bytes }) => {
    if (bytes === undefined) process.stdout.write(`${step}: ${message}\n`);
  },
});
process.stdout.write(`installed ${folder}\n`);
