import { fileURLToPath } from "node:url";
import { predictor } from "@convkit/predict";

// Outside of the handler: a warm function does this once. The file carries its preprocessing: pixels from 0 to 255 go in.
const digits = predictor(fileURLToPath(new URL("model.onnx", import.meta.url)), { runtime: "onnxruntime", threads: 1 });

/** `{ pixels: [784 numbers] }` to the probabilities of the ten digits. */
export async function handler({ pixels }) {
  const { data } = await digits.predict({ data: Uint8Array.from(pixels), shape: [1, 28, 28, 1] });
  return { scores: [...data] };
}
