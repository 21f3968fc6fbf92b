import * as tf from "@tensorflow/tfjs-core";

/** An input from JavaScript: bytes stay bytes until the graph. */
export interface Feed {
  readonly data: Uint8Array | Float32Array | Int32Array;
  readonly shape: readonly number[];
}

type TensorFunction = (...inputs: tf.Tensor[]) => tf.Tensor[];

/** A function of tensors, ready to be called again and again with values from JavaScript. */
export interface Executable {
  run(feeds: readonly Feed[]): Promise<Float32Array[]>;
  dispose(): void;
}

/** Runs the function op by op at each call: the way on engines without graphs. */
export function eager(fn: TensorFunction): Executable {
  return {
    async run(feeds) {
      const outputs = tf.tidy(() => fn(...feeds.map(tensorOf)));
      const values = await Promise.all(outputs.map((output) => output.data<"float32">()));
      tf.dispose(outputs);
      return values;
    },
    dispose() {},
  };
}

function tensorOf({ data, shape }: Feed): tf.Tensor {
  // tfjs has no bytes; pixels are floats there, class numbers int32.
  const values = data instanceof Uint8Array ? Float32Array.from(data) : data;
  return tf.tensor(values, [...shape], values instanceof Int32Array ? "int32" : "float32");
}
