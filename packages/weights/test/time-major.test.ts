import { expect, it } from "vitest";
import { importModel } from "../src/formats/keras/import-model.ts";

it.each(["LSTM", "GRU", "CuDNNLSTM", "CuDNNGRU", "RNN"])(
  "%s with the steps before the batch is refused",
  (className) => {
    const cell = { class_name: "LSTMCell", config: { units: 2 } };
    const config = { name: "steps", time_major: true, ...(className === "RNN" ? { cell } : { units: 2 }) };
    const layers = [
      { class_name: "InputLayer", config: { name: "x", batch_input_shape: [5, 2, 4], dtype: "float32" } },
      { class_name: className, config },
    ];
    expect(() => importModel("test", { class_name: "Sequential", config: { name: "net", layers } } as never)).toThrow(
      `"steps" (${className}) of "net": time_major is not known: sequences have the batch first here`,
    );
  },
);
