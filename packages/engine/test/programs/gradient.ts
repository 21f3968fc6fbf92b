import process from "node:process";

import * as tf from "@tensorflow/tfjs-core";

import { useEngine, type EngineName } from "../../src/index.ts";

/** Takes a gradient in a program that imports nothing of tfjs but tfjs-core; prints it as JSON. */
await useEngine(process.env["ENGINE"] as EngineName);
const gradient = tf.grad((x: tf.Tensor) => tf.sum(tf.square(x)));
process.stdout.write(JSON.stringify([...(await gradient(tf.tensor1d([1, 2, 3])).data())]));
