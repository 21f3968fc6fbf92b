/** The outline of an ONNX file without a reader of all of ONNX, for programs that must start fast; may change in any version. */
export { onnxOutline } from "./formats/onnx/outline.ts";
export type { OnnxOutline, OutlineNode } from "./formats/onnx/outline.ts";
