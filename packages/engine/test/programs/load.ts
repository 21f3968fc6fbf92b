import { createRequire } from "node:module";
import process from "node:process";

import * as tf from "@tensorflow/tfjs-core";

import { findInstalled } from "../../src/install/installed.ts";
import { loadTensorflow } from "../../src/tensorflow/load.ts";
import { tensorflowLibrary } from "../../src/tensorflow/library.ts";
import { describeTfjsNode } from "../../src/install/tfjs-node.ts";

/** Loads the tfjs-node that the environment names, computes, and counts the copies of tfjs-core; prints JSON. */
const { TFJS_NODE = "", COPY_ROOT, INSTALLED } = process.env;
const installed = INSTALLED ? await findInstalled("native", "2.21.0") : undefined;
await loadTensorflow({
  tfjsNode: describeTfjsNode(TFJS_NODE),
  ...(installed && { installed }),
  ...(COPY_ROOT && { copyRoot: COPY_ROOT }),
});
const [product] = await tf.matMul(tf.tensor2d([[1, 2]]), tf.tensor2d([[3], [4]])).data();
const files = Object.keys(createRequire(import.meta.url).cache);
const cores = files.filter((file) => file.endsWith("tf-core.node.js")).length;
process.stdout.write(JSON.stringify({ ...tensorflowLibrary(), cores, product }));
