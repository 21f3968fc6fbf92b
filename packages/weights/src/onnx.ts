/** ONNX files without tfjs, for programs that must start fast; for packages of convkit, may change in any version. */
export { decodeOnnx, encodeOnnx } from "./formats/onnx/protos.ts";
export type { OnnxMessage } from "./formats/onnx/protos.ts";
