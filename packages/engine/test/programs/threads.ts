import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";

import * as tf from "@tensorflow/tfjs-core";

import { useEngine } from "../../src/index.ts";

/** Computes on the native engine with as many threads as the environment says, and counts TensorFlow's; prints JSON. */
const { threads } = await useEngine("native", { threads: Number(process.env["THREADS"]) });
await tf.conv2d(tf.ones<tf.Rank.R4>([8, 32, 32, 16]), tf.ones<tf.Rank.R4>([3, 3, 16, 16]), 1, "same").data();
const names = readdirSync("/proc/self/task").map((task) => readFileSync(`/proc/self/task/${task}/comm`, "utf8").trim());
process.stdout.write(JSON.stringify({ threads, running: names.filter((name) => name === "tf_Compute").length }));
