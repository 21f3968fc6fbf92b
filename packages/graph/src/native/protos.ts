import protobuf from "protobufjs";

/**
 * The messages of TensorFlow's public protocol that this package reads or writes, with TensorFlow's own field numbers
 * (`tensorflow/core/framework/*.proto`, `tensorflow/core/protobuf/*.proto`); fields not needed here are left out.
 */
const source = `
syntax = "proto3";
package tensorflow;

message TensorShapeProto { message Dim { int64 size = 1; string name = 2; } repeated Dim dim = 2; bool unknown_rank = 3; }
message TensorProto {
  int32 dtype = 1; TensorShapeProto tensor_shape = 2; bytes tensor_content = 4;
  repeated float float_val = 5; repeated int32 int_val = 7; repeated bytes string_val = 8; repeated bool bool_val = 11;
}
message AttrValue {
  message ListValue {
    repeated bytes s = 2; repeated int64 i = 3; repeated float f = 4; repeated bool b = 5; repeated int32 type = 6;
    repeated TensorShapeProto shape = 7; repeated TensorProto tensor = 8;
  }
  oneof value {
    bytes s = 2; int64 i = 3; float f = 4; bool b = 5; int32 type = 6; TensorShapeProto shape = 7; TensorProto tensor = 8;
    ListValue list = 1;
  }
}
message NodeDef {
  string name = 1; string op = 2; repeated string input = 3; string device = 4; map<string, AttrValue> attr = 5;
}
message VersionDef { int32 producer = 1; int32 min_consumer = 2; }
message GraphDef { repeated NodeDef node = 1; VersionDef versions = 4; }

message OpDef {
  message ArgDef {
    string name = 1; int32 type = 3; string type_attr = 4; string number_attr = 5; string type_list_attr = 6;
  }
  message AttrDef { string name = 1; string type = 2; AttrValue default_value = 3; }
  string name = 1; repeated ArgDef input_arg = 2; repeated ArgDef output_arg = 3; repeated AttrDef attr = 4; bool is_stateful = 17;
}
message OpList { repeated OpDef op = 1; }

message RewriterConfig {
  int32 layout_optimizer = 1; int32 constant_folding = 3; int32 memory_optimization = 4; int32 arithmetic_optimization = 7;
  int32 dependency_optimization = 8; int32 loop_optimization = 9; int32 meta_optimizer_iterations = 12;
  int32 remapping = 14; int32 min_graph_nodes = 17; bool disable_meta_optimizer = 19; int32 auto_mixed_precision = 23;
  int32 auto_mixed_precision_onednn_bfloat16 = 25;
}
message OptimizerOptions {
  bool do_common_subexpression_elimination = 1; bool do_constant_folding = 2; int32 opt_level = 3; int32 global_jit_level = 5;
}
message GraphOptions { OptimizerOptions optimizer_options = 3; RewriterConfig rewrite_options = 10; }
message GPUOptions { bool allow_growth = 4; }
message ConfigProto {
  message Experimental {
    string collective_group_leader = 1; int32 recv_buf_max_chunk = 4; bool disable_output_partition_graphs = 14;
    bool optimize_for_static_graph = 12; bool disable_functional_ops_lowering = 21;
  }
  map<string, int32> device_count = 1; int32 intra_op_parallelism_threads = 2; int32 inter_op_parallelism_threads = 5;
  repeated string device_filters = 4; GPUOptions gpu_options = 6; bool allow_soft_placement = 7; bool use_per_session_threads = 9;
  GraphOptions graph_options = 10; Experimental experimental = 16;
}
message JobDef { string name = 1; map<int32, string> tasks = 2; }
message ClusterDef { repeated JobDef job = 1; }
message ServerDef {
  ClusterDef cluster = 1; string job_name = 2; int32 task_index = 3; ConfigProto default_session_config = 4; string protocol = 5;
}
message RunOptions { int32 trace_level = 1; int64 timeout_in_ms = 2; }
message NodeExecStats {
  string node_name = 1; int64 all_start_micros = 2; int64 op_start_rel_micros = 3; int64 op_end_rel_micros = 4;
  int64 all_end_rel_micros = 5; string timeline_label = 8; uint32 thread_id = 10;
}
message DeviceStepStats { string device = 1; repeated NodeExecStats node_stats = 2; }
message StepStats { repeated DeviceStepStats dev_stats = 1; }
message RunMetadata { StepStats step_stats = 1; }

message TensorInfo { string name = 1; int32 dtype = 2; TensorShapeProto tensor_shape = 3; }
message SignatureDef { map<string, TensorInfo> inputs = 1; map<string, TensorInfo> outputs = 2; string method_name = 3; }
message SaverDef {
  string filename_tensor_name = 1; string save_tensor_name = 2; string restore_op_name = 3; int32 max_to_keep = 4;
  bool sharded = 5; float keep_checkpoint_every_n_hours = 6; int32 version = 7;
}
message CollectionDef {
  message NodeList { repeated string value = 1; }
  message BytesList { repeated bytes value = 1; }
  oneof kind { NodeList node_list = 1; BytesList bytes_list = 2; }
}
message VariableDef {
  string variable_name = 1; string initializer_name = 2; string snapshot_name = 3; bool is_resource = 5;
  string initial_value_name = 6; bool trainable = 7;
}
message MetaGraphDef {
  message MetaInfoDef { string meta_graph_version = 1; repeated string tags = 4; string tensorflow_version = 5; }
  MetaInfoDef meta_info_def = 1; GraphDef graph_def = 2; SaverDef saver_def = 3;
  map<string, CollectionDef> collection_def = 4; map<string, SignatureDef> signature_def = 5;
}
message StoredAttr {
  message Func { string name = 1; }
  message ListValue {
    repeated int32 type = 6; repeated TensorShapeProto shape = 7; repeated TensorProto tensor = 8; repeated Func func = 9;
  }
  oneof value { int32 type = 6; TensorShapeProto shape = 7; TensorProto tensor = 8; ListValue list = 1; Func func = 10; }
}
message StoredNode { string name = 1; string op = 2; map<string, StoredAttr> attr = 5; }
message StoredFunction { OpDef signature = 1; repeated StoredNode node_def = 3; }
message StoredLibrary { repeated StoredFunction function = 1; }
message StoredGraph { repeated StoredNode node = 1; StoredLibrary library = 2; }
message StoredMetaGraph { StoredGraph graph_def = 2; }
message StoredModel { repeated StoredMetaGraph meta_graphs = 2; }
message SavedModel { int64 saved_model_schema_version = 1; repeated MetaGraphDef meta_graphs = 2; }
`;

const root = protobuf.parse(source, { keepCase: true }).root;

/** A message as a plain object, with the fields named above. */
export type Message = Record<string, unknown>;

/** A message's bytes. */
export function encode(name: string, message: Message): Uint8Array {
  return type(name).encode(message).finish();
}

/** A message read from its bytes: every field there, 64-bit integers as numbers. */
export function decode(name: string, bytes: Uint8Array): Message {
  const t = type(name);
  return t.toObject(t.decode(bytes), { longs: Number, defaults: true, arrays: true, objects: true });
}

const types = new Map<string, protobuf.Type>();

function type(name: string): protobuf.Type {
  let found = types.get(name);
  if (found === undefined) types.set(name, (found = root.lookupType(`tensorflow.${name}`)));
  return found;
}
