import * as tf from "@tensorflow/tfjs-core";
import { ownTime } from "./own-time.ts";

const OPS = 50;
const TRIES = 5;

let measured: number | undefined;

/** Milliseconds that tfjs takes to start one op eagerly, measured once; undefined on other backends than TensorFlow's. */
export function eagerOpMs(): number | undefined {
  if (measured === undefined && tf.getBackend() === "tensorflow") {
    const times = Array.from({ length: TRIES }, () => {
      const passed = ownTime();
      tf.tidy(() => {
        let x: tf.Tensor = tf.scalar(0);
        for (let op = 0; op < OPS; op++) x = tf.add(x, x);
      });
      return passed() / OPS;
    });
    // The first tries include compiling the JavaScript.
    measured = Math.min(...times);
  }
  return measured;
}
