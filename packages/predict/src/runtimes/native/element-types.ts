/** A type of values: each library's number for it, and how JavaScript sees its memory. */
export interface ElementType {
  readonly name: string;
  /** In OpenVINO's `ov_element_type_e`; missing where predictions with OpenVINO do not take the type. */
  readonly openvino?: number | undefined;
  /** In ONNX Runtime's `ONNXTensorElementDataType`. */
  readonly onnxruntime: number;
  readonly view: (memory: ArrayBuffer) => NumberView | BigInt64Array;
  readonly bytes: number;
}

export type NumberView =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

/** The types that predictions take and give. */
export const elementTypes: readonly ElementType[] = [
  { name: "float32", openvino: 4, onnxruntime: 1, bytes: 4, view: (memory) => new Float32Array(memory) },
  { name: "float64", openvino: 5, onnxruntime: 11, bytes: 8, view: (memory) => new Float64Array(memory) },
  { name: "int32", openvino: 9, onnxruntime: 6, bytes: 4, view: (memory) => new Int32Array(memory) },
  { name: "int64", openvino: 10, onnxruntime: 7, bytes: 8, view: (memory) => new BigInt64Array(memory) },
  { name: "uint8", openvino: 16, onnxruntime: 2, bytes: 1, view: (memory) => new Uint8Array(memory) },
  { name: "bool", openvino: 1, onnxruntime: 9, bytes: 1, view: (memory) => new Uint8Array(memory) },
  { name: "int8", onnxruntime: 3, bytes: 1, view: (memory) => new Int8Array(memory) },
  { name: "uint16", onnxruntime: 4, bytes: 2, view: (memory) => new Uint16Array(memory) },
  { name: "int16", onnxruntime: 5, bytes: 2, view: (memory) => new Int16Array(memory) },
  { name: "uint32", onnxruntime: 12, bytes: 4, view: (memory) => new Uint32Array(memory) },
];
