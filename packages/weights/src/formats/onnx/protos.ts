import protobuf from "protobufjs";

/**
 * The ONNX messages that this package reads and writes, with ONNX's field numbers. Fields that it neither reads nor
 * writes are left out.
 * Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
 */
const source = `
syntax = "proto2";
package onnx;

message ModelProto {
  optional int64 ir_version = 1; optional string producer_name = 2; optional GraphProto graph = 7;
  repeated OperatorSetIdProto opset_import = 8; repeated StringStringEntryProto metadata_props = 14;
}
message OperatorSetIdProto { optional string domain = 1; optional int64 version = 2; }
message StringStringEntryProto { optional string key = 1; optional string value = 2; }
message GraphProto {
  repeated NodeProto node = 1; optional string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; optional string name = 3; optional string op_type = 4;
  repeated AttributeProto attribute = 5; optional string domain = 7;
}
message AttributeProto {
  optional string name = 1; optional float f = 2; optional int64 i = 3; optional bytes s = 4;
  optional TensorProto t = 5; optional bytes g = 6; repeated float floats = 7; repeated int64 ints = 8;
  repeated bytes strings = 9; optional int32 type = 20;
}
message TensorProto {
  repeated int64 dims = 1; optional int32 data_type = 2; repeated float float_data = 4 [packed = true];
  repeated int32 int32_data = 5 [packed = true]; repeated int64 int64_data = 7 [packed = true];
  optional string name = 8; optional bytes raw_data = 9; repeated double double_data = 10 [packed = true];
  repeated uint64 uint64_data = 11 [packed = true]; repeated StringStringEntryProto external_data = 13;
  optional int32 data_location = 14;
}
message ValueInfoProto { optional string name = 1; optional TypeProto type = 2; }
message TypeProto {
  message Tensor { optional int32 elem_type = 1; optional TensorShapeProto shape = 2; }
  optional Tensor tensor_type = 1;
}
message TensorShapeProto {
  message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
  repeated Dimension dim = 1;
}
`;

const root = protobuf.parse(source, { keepCase: true }).root;

/** A message as a plain object, with the fields named above. */
export type OnnxMessage = Readonly<Record<string, unknown>>;

export type OnnxMessageName =
  | "AttributeProto"
  | "GraphProto"
  | "ModelProto"
  | "NodeProto"
  | "OperatorSetIdProto"
  | "StringStringEntryProto"
  | "TensorProto"
  | "ValueInfoProto";

/** A message's bytes. */
export function encodeOnnx(name: OnnxMessageName, message: OnnxMessage): Uint8Array {
  return root.lookupType(`onnx.${name}`).encode(message).finish();
}

/** Decodes a message. Whole numbers of 64 bits become numbers. Throws protobufjs' own error for bytes that are none. */
export function decodeOnnx(name: OnnxMessageName, bytes: Uint8Array): OnnxMessage {
  const type = root.lookupType(`onnx.${name}`);
  return type.toObject(type.decode(bytes), { longs: Number, arrays: true });
}

/** The number of a field. */
export function fieldNumber(name: OnnxMessageName, field: string): number {
  return root.lookupType(`onnx.${name}`).fields[field]!.id;
}

/**
 * The header of a field of `size` bytes. The field itself is written in parts, so that no second copy of the model is
 * in memory.
 */
export function fieldStart(name: OnnxMessageName, field: string, size: number): Uint8Array {
  const { id } = root.lookupType(`onnx.${name}`).fields[field]!;
  const lengthDelimited = 2;
  return protobuf.Writer.create()
    .uint32((id << 3) | lengthDelimited)
    .uint32(size)
    .finish();
}
