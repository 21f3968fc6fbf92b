/** The runtimes that run a copy of the model: they read it as ONNX. */
export const onnxRuntimes = ["openvino", "onnxruntime"] as const;

/** A runtime that runs a copy of the model. */
export type OnnxRuntimeName = (typeof onnxRuntimes)[number];

/** True for a runtime that runs a copy of the model. */
export function isOnnxRuntime(name: string): name is OnnxRuntimeName {
  return (onnxRuntimes as readonly string[]).includes(name);
}

/** All runtimes: OpenVINO and ONNX Runtime, and tfjs' engines. */
export const runtimeNames = [...onnxRuntimes, "tensorflow", "wasm"] as const;

/** What computes a prediction. */
export type RuntimeName = (typeof runtimeNames)[number];

/** The engines that compute on the GPU of a web page; `webgpu` runs in Node, too. */
export const pageRuntimeNames = ["webgpu", "webgl"] as const;

/** An engine that computes on the GPU of a web page; `webgpu` runs in Node, too. */
export type PageRuntimeName = (typeof pageRuntimeNames)[number];

/** The runtimes that are the engine in use, in Node or in a web page. */
export const engineRuntimes = ["tensorflow", "wasm", ...pageRuntimeNames] as const;

export type EngineRuntimeName = (typeof engineRuntimes)[number];

/** True for a runtime that is the engine in use. */
export function isEngineRuntime(name: string): name is EngineRuntimeName {
  return (engineRuntimes as readonly string[]).includes(name);
}
