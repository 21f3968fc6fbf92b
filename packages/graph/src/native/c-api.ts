import { existsSync } from "node:fs";
import { tensorflowLibrary } from "@convkit/engine";
import { foreignFunctions, withOwnTypes } from "@convkit/engine/internal";
import type { ForeignFunction } from "@convkit/engine/internal";
import { GraphError } from "../graph-error.ts";

/** A native object's address. User-space addresses stay below 2^53, so that a number holds them. */
export type Handle = number;

/** The C functions in use (`tensorflow/c/c_api.h`), one prototype each. */
const prototypes = [
  "uintptr_t TF_NewStatus()",
  "void TF_DeleteStatus(uintptr_t status)",
  "void TF_SetStatus(uintptr_t status, int code, str message)",
  "int TF_GetCode(uintptr_t status)",
  "str TF_Message(uintptr_t status)",
  "str TF_Version()",
  "uintptr_t TF_NewBufferFromString(const void *proto, size_t length)",
  "uintptr_t TF_NewBuffer()",
  "void TF_DeleteBuffer(uintptr_t buffer)",
  "uintptr_t TF_AllocateTensor(int dtype, const void *dims, int rank, size_t bytes)",
  "void TF_DeleteTensor(uintptr_t tensor)",
  "uintptr_t TF_TensorData(uintptr_t tensor)",
  "size_t TF_TensorByteSize(uintptr_t tensor)",
  "int TF_TensorType(uintptr_t tensor)",
  "int TF_NumDims(uintptr_t tensor)",
  "int64_t TF_Dim(uintptr_t tensor, int index)",
  "uintptr_t TF_NewGraph()",
  "void TF_DeleteGraph(uintptr_t graph)",
  "uintptr_t TF_NewOperation(uintptr_t graph, str op, str name)",
  "void TF_AddInput(uintptr_t description, TF_Output input)",
  "void TF_AddInputList(uintptr_t description, const TF_Output *inputs, int count)",
  "void TF_SetAttrValueProto(uintptr_t description, str name, const void *proto, size_t length, uintptr_t status)",
  "void TF_SetAttrTensor(uintptr_t description, str name, uintptr_t tensor, uintptr_t status)",
  "void TF_SetAttrType(uintptr_t description, str name, int dtype)",
  "void TF_OperationGetAttrTensor(uintptr_t oper, str name, void *tensor, uintptr_t status)",
  "uintptr_t TF_FinishOperation(uintptr_t description, uintptr_t status)",
  "uintptr_t TF_GraphOperationByName(uintptr_t graph, str name)",
  "int TF_OperationOutputType(TF_Output output)",
  "int TF_GraphGetTensorNumDims(uintptr_t graph, TF_Output output, uintptr_t status)",
  "void TF_GraphGetTensorShape(uintptr_t graph, TF_Output output, _Out_ int64_t *dims, int rank, uintptr_t status)",
  "void TF_GraphGetOpDef(uintptr_t graph, str op, uintptr_t buffer, uintptr_t status)",
  "uintptr_t TF_NewImportGraphDefOptions()",
  "void TF_ImportGraphDefOptionsAddInputMapping(uintptr_t options, str name, int index, TF_Output source)",
  "void TF_DeleteImportGraphDefOptions(uintptr_t options)",
  "void TF_GraphImportGraphDef(uintptr_t graph, uintptr_t graphDef, uintptr_t options, uintptr_t status)",
  "uintptr_t TF_NewSessionOptions()",
  "void TF_SetConfig(uintptr_t options, const void *proto, size_t length, uintptr_t status)",
  "void TF_SetTarget(uintptr_t options, str target)",
  "void TF_DeleteSessionOptions(uintptr_t options)",
  "uintptr_t TF_NewSession(uintptr_t graph, uintptr_t options, uintptr_t status)",
  "uintptr_t TF_LoadSessionFromSavedModel(uintptr_t options, uintptr_t runOptions, str folder, const char **tags, int tagCount, uintptr_t graph, uintptr_t metaGraph, uintptr_t status)",
  "uintptr_t TF_NewServer(const void *proto, size_t length, uintptr_t status)",
  "void TF_ServerStart(uintptr_t server, uintptr_t status)",
  "str TF_ServerTarget(uintptr_t server)",
  "void TF_SetDevice(uintptr_t description, str device)",
  "void TF_CloseSession(uintptr_t session, uintptr_t status)",
  "void TF_DeleteSession(uintptr_t session, uintptr_t status)",
  "void TF_SessionRun(uintptr_t session, uintptr_t runOptions, uintptr_t inputs, uintptr_t inputValues, int inputCount, uintptr_t outputs, uintptr_t outputValues, int outputCount, uintptr_t targets, int targetCount, uintptr_t runMetadata, uintptr_t status)",
] as const;

type NameOf<P extends string> = P extends `${string} ${infer N}(${string}`
  ? N extends `${string} ${infer M}`
    ? M
    : N
  : never;
/** TensorFlow's C API in this process, and a few functions of libc that copy bytes. */
export type TensorFlow = Record<NameOf<(typeof prototypes)[number]>, ForeignFunction> & {
  calloc: ForeignFunction;
  free: ForeignFunction;
  memcpy: ForeignFunction;
  _exit: ForeignFunction;
  enableOpDeterminism?: ForeignFunction;
};

const own = (prototype: string) => withOwnTypes(prototype, /\bTF_Output\b/g);

let loaded: TensorFlow | undefined;

/** The C API of the library that tfjs-node's addon computes with; throws if none is loaded. */
export function tensorflow(): TensorFlow {
  if (loaded !== undefined) return loaded;
  const path = tensorflowLibrary()?.cc ?? loadedLibrary();
  if (path === undefined)
    throw new GraphError(
      "No TensorFlow library is loaded in this process; import @tensorflow/tfjs-node or await useEngine() of @convkit/engine before the first compiled call.",
    );
  const koffi = foreignFunctions();
  // The prototypes name this type, which is passed by value.
  koffi.struct(own("TF_Output"), { oper: "uintptr_t", index: "int" });
  const library = koffi.load(path);
  const libc = koffi.load(null);
  const api: Record<string, ForeignFunction> = {
    calloc: libc.func("uintptr_t calloc(size_t count, size_t size)"),
    free: libc.func("void free(uintptr_t address)"),
    _exit: libc.func("void _exit(int status)"),
  };
  const memcpy = libc.func("memcpy", "uintptr_t", ["const void *", "const void *", "size_t"]);
  api["memcpy"] = memcpy;
  for (const prototype of prototypes) {
    const name = /(\w+)\(/.exec(prototype)?.[1] as string;
    api[name] = library.func(own(prototype));
  }
  for (const space of ["3tsl", "10tensorflow"]) {
    try {
      api["enableOpDeterminism"] = library.func(`_ZN${space}19EnableOpDeterminismEb`, "void", ["bool"]);
      break;
    } catch {
      // The library is in another namespace, or too old to have the function.
    }
  }
  loaded = api as unknown as TensorFlow;
  return loaded;
}

/** Finds the TensorFlow library among the process's shared objects, for programs that import tfjs-node directly. */
function loadedLibrary(): string | undefined {
  const report = process.report.getReport() as { sharedObjects?: string[] };
  return (report.sharedObjects ?? []).find((file) => /libtensorflow(_cc)?\.[^/]*$/.test(file) && existsSync(file));
}

/** Unused statuses without an error, for reuse: a trace checks thousands of calls. */
const statuses: Handle[] = [];

/** Runs `use` with a TF_Status, and throws TensorFlow's message if the status is not OK. */
export function checked<T>(use: (status: Handle) => T, what: string): T {
  const tf = tensorflow();
  const status = statuses.pop() ?? (tf.TF_NewStatus() as Handle);
  const result = use(status);
  if (tf.TF_GetCode(status) !== 0) {
    const message = tf.TF_Message(status) as string;
    tf.TF_DeleteStatus(status);
    throw new GraphError(`TensorFlow refused ${what}: ${message}`);
  }
  statuses.push(status);
  return result;
}

/** `{oper, index}` as koffi passes it by value. */
export function output(oper: Handle, index: number): { oper: Handle; index: number } {
  return { oper, index };
}

/** The bytes of one `TF_Output` in an array of them: a pointer, an int, and padding. */
export const OUTPUT_BYTES = 16;

/** Native memory as bytes, without a copy; valid until it is freed. */
export function bytesAt(address: Handle, length: number): Uint8Array {
  return new Uint8Array(foreignFunctions().view(BigInt(address), length));
}

/** The bytes of a `TF_Buffer` (data pointer, length), copied. */
export function bufferBytes(buffer: Handle): Uint8Array {
  const head = new DataView(foreignFunctions().view(BigInt(buffer), 16));
  const length = Number(head.getBigUint64(8, true));
  return length === 0 ? new Uint8Array() : bytesAt(Number(head.getBigUint64(0, true)), length).slice();
}
