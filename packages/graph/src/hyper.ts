import { scalar } from "@tensorflow/tfjs-core";
import type { Scalar } from "@tensorflow/tfjs-core";
import { activeTrace } from "./trace/active-trace.ts";

/** A number that may change between the runs of a compiled function: a loss weight, a temperature, a rate. */
export class Hyper {
  value: number;
  readonly name: string;

  constructor(value: number, name: string) {
    this.value = value;
    this.name = name;
  }

  /** The value as a tensor: in a compiled function an input that is fed at each run. */
  read(): Scalar {
    const trace = activeTrace();
    return trace === undefined
      ? scalar(this.value)
      : (trace.tensor(trace.numbers.feed(this, this.name, () => this.value)) as Scalar);
  }
}

/**
 * Makes a number that is fed at each run: `const weight = hyper(0.3)`, in the function `loss.mul(weight.read())`, later
 * `weight.value = 0`.
 */
export function hyper(value: number, name = "hyper"): Hyper {
  return new Hyper(value, name);
}
