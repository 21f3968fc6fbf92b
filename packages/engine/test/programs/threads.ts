import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

import * as tf from "@tensorflow/tfjs-core";

import { useEngine } from "../../src/index.ts";

/** Computes on the native engine with as many threads as the environment says, and counts TensorFlow's; prints JSON. */
const { threads } = await useEngine("native", { threads: Number(process.env["THREADS"]) });
await tf.conv2d(tf.ones<tf.Rank.R4>([8, 32, 32, 16]), tf.ones<tf.Rank.R4>([3, 3, 16, 16]), 1, "same").data();
/** Threads by the name that they give themselves when they first run, which may be a while after they were made. */
const running = () =>
  readdirSync("/proc/self/task")
    .map((task) => readFileSync(`/proc/self/task/${task}/comm`, "utf8").trim())
    .filter((name) => name === "tf_Compute").length;
for (let waits = 0; running() < threads && waits < 3000; waits++) await sleep(10);
process.stdout.write(JSON.stringify({ threads, running: running() }));
