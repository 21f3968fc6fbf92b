import { TrainerError } from "../../trainer-error.ts";

/** Throws TrainerError: OpenVINO and ONNX Runtime run in Node. */
export async function runtimeForward(): Promise<never> {
  throw new TrainerError("A web page evaluates with its own engine only: leave runtime and validationRuntime out.");
}
