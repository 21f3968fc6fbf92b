import {
  foreignFunctions,
  nativeVariable,
  setNativeVariable,
  withOwnTypes,
  type ForeignFunction,
  type ForeignLibrary,
} from "@convkit/engine/internal";

import { PredictError } from "../../predict-error.ts";
import type { Pointer } from "../native/tensors.ts";
import { findOnnxruntime } from "./find.ts";

/** The version of the table of functions that is asked for: later libraries have it, too. */
const apiVersion = 5;

/**
 * Functions by their places in the table `OrtApi` of `onnxruntime_c_api.h`, which a version never changes. Every object has its own
 * function that frees it; most others return a status, 0 for success.
 */
const prototypes = {
  errorMessage: [2, "str ort_error_message(uintptr_t status)"],
  createEnv: [3, "uintptr_t ort_create_env(int level, str name, _Out_ uintptr_t *env)"],
  disableTelemetry: [6, "uintptr_t ort_disable_telemetry(uintptr_t env)"],
  createSession: [
    7,
    "uintptr_t ort_create_session(uintptr_t env, str path, uintptr_t options, _Out_ uintptr_t *session)",
  ],
  createSessionOfBytes: [
    8,
    "uintptr_t ort_create_session_of_bytes(uintptr_t env, const uint8_t *bytes, size_t count, uintptr_t options, _Out_ uintptr_t *session)",
  ],
  createOptions: [10, "uintptr_t ort_create_options(_Out_ uintptr_t *options)"],
  setThreads: [24, "uintptr_t ort_set_threads(uintptr_t options, int threads)"],
  inputCount: [30, "uintptr_t ort_input_count(uintptr_t session, _Out_ size_t *count)"],
  outputCount: [31, "uintptr_t ort_output_count(uintptr_t session, _Out_ size_t *count)"],
  inputType: [33, "uintptr_t ort_input_type(uintptr_t session, size_t index, _Out_ uintptr_t *type)"],
  outputType: [34, "uintptr_t ort_output_type(uintptr_t session, size_t index, _Out_ uintptr_t *type)"],
  inputName: [
    36,
    "uintptr_t ort_input_name(uintptr_t session, size_t index, uintptr_t allocator, _Out_ ort_text *name)",
  ],
  outputName: [
    37,
    "uintptr_t ort_output_name(uintptr_t session, size_t index, uintptr_t allocator, _Out_ ort_text *name)",
  ],
  createTensor: [
    48,
    "uintptr_t ort_create_tensor(uintptr_t allocator, const int64_t *dims, size_t rank, int type, _Out_ uintptr_t *tensor)",
  ],
  tensorData: [51, "uintptr_t ort_tensor_data(uintptr_t tensor, _Out_ uintptr_t *data)"],
  tensorInfo: [55, "uintptr_t ort_tensor_info(uintptr_t type, _Out_ uintptr_t *info)"],
  elementType: [60, "uintptr_t ort_element_type(uintptr_t info, _Out_ int *type)"],
  rank: [61, "uintptr_t ort_rank(uintptr_t info, _Out_ size_t *rank)"],
  dims: [62, "uintptr_t ort_dims(uintptr_t info, _Out_ int64_t *dims, size_t rank)"],
  shapeOf: [65, "uintptr_t ort_shape_of(uintptr_t tensor, _Out_ uintptr_t *info)"],
  createMemoryInfo: [69, "uintptr_t ort_create_memory_info(int allocator, int memory, _Out_ uintptr_t *info)"],
  allocatorFree: [76, "uintptr_t ort_allocator_free(uintptr_t allocator, void *memory)"],
  defaultAllocator: [78, "uintptr_t ort_default_allocator(_Out_ uintptr_t *allocator)"],
  statusFree: [93, "void ort_status_free(uintptr_t status)"],
  sessionFree: [95, "void ort_session_free(uintptr_t session)"],
  valueFree: [96, "void ort_value_free(uintptr_t value)"],
  typeFree: [98, "void ort_type_free(uintptr_t type)"],
  infoFree: [99, "void ort_info_free(uintptr_t info)"],
  optionsFree: [100, "void ort_options_free(uintptr_t options)"],
  setOption: [130, "uintptr_t ort_set_option(uintptr_t options, str name, str value)"],
  run: [133, "uintptr_t ort_run(uintptr_t session, uintptr_t options, uintptr_t binding)"],
  createBinding: [134, "uintptr_t ort_create_binding(uintptr_t session, _Out_ uintptr_t *binding)"],
  bindingFree: [135, "void ort_binding_free(uintptr_t binding)"],
  bindInput: [136, "uintptr_t ort_bind_input(uintptr_t binding, str name, uintptr_t tensor)"],
  bindOutput: [137, "uintptr_t ort_bind_output(uintptr_t binding, str name, uintptr_t tensor)"],
  bindAnyOutput: [138, "uintptr_t ort_bind_any_output(uintptr_t binding, str name, uintptr_t memory)"],
  boundOutputs: [
    140,
    "uintptr_t ort_bound_outputs(uintptr_t binding, uintptr_t allocator, _Out_ uintptr_t *values, _Out_ size_t *count)",
  ],
} as const;

/** The C library's functions by our names. */
export type OnnxruntimeFunctions = Readonly<Record<keyof typeof prototypes, ForeignFunction>>;

/** The C library, loaded, with what every session shares. */
export interface Onnxruntime {
  readonly c: OnnxruntimeFunctions;
  /** koffi closes a library that nothing refers to any more, and functions by their addresses do not. */
  readonly handle: ForeignLibrary;
  readonly env: Pointer;
  readonly allocator: Pointer;
  readonly memoryInfo: Pointer;
}

let opened: Onnxruntime | undefined;
let freeText: ((text: Pointer) => void) | undefined;
let areTypesKnown = false;

const own = (prototype: string) => withOwnTypes(prototype, /\bort_\w+/g);

/** Names the types of the prototypes: once a process, also where the library does not load at the first try. */
function nameTypes(koffi: ReturnType<typeof foreignFunctions>): void {
  if (areTypesKnown) return;
  areTypesKnown = true;
  koffi.disposable(own("ort_text"), "str", (text) => freeText!(text));
  koffi.proto(own("uintptr_t ort_get_api(uint32_t version)"));
  for (const [, prototype] of Object.values(prototypes)) koffi.proto(own(prototype));
}

/** Loads ONNX Runtime once a process; throws a PredictError where it is not installed or does not load. */
export function onnxruntime(): Onnxruntime {
  return (opened ??= load());
}

function load(): Onnxruntime {
  const found = findOnnxruntime();
  if (found === undefined) throw new PredictError('ONNX Runtime is not installed: "npm install onnxruntime-node".');
  if (found.library === undefined)
    throw new PredictError(
      `onnxruntime-node ${found.version} has no library for ${process.platform} on ${process.arch}: use another runtime.`,
    );
  try {
    return start(found.library);
  } catch (error) {
    throw new PredictError(
      `ONNX Runtime in ${found.library} does not load (${(error as Error).message.split("\n")[0]}): install onnxruntime-node again.`,
      { cause: error },
    );
  }
}

function start(file: string): Onnxruntime {
  const koffi = foreignFunctions();
  nameTypes(koffi);
  const table = (address: Pointer, places: number) => new BigUint64Array(koffi.view(BigInt(address), 8 * places));
  const handle = koffi.load(file);
  const base: Pointer = handle.func("uintptr_t OrtGetApiBase()")();
  const getApi = koffi.decode(table(base, 1)[0]!, own("ort_get_api"));
  const api: Pointer = getApi(apiVersion);
  if (BigInt(api) === 0n) throw new PredictError(`it has no functions of version ${apiVersion}`);
  const places = table(api, 1 + Math.max(...Object.values(prototypes).map(([place]) => place)));
  const functions = Object.entries(prototypes).map(([name, [place, prototype]]) => [
    name,
    koffi.decode(places[place]!, own(/(\w+)\(/.exec(prototype)![1]!)),
  ]);
  const c = Object.fromEntries(functions) as OnnxruntimeFunctions;
  const allocator = created(c, "find its memory", (out) => c.defaultAllocator(out));
  if (nativeVariable(telemetrySwitch) === undefined) setNativeVariable(telemetrySwitch, "1");
  // Errors come as statuses; the log says them, and warnings, once more.
  const env = created(c, "start", (out) => c.createEnv(logLevel.fatal, "convkit", out));
  check(c, "start", c.disableTelemetry(env));
  freeText = (text) => void c.allocatorFree(allocator, text);
  return {
    c,
    handle,
    env,
    allocator,
    memoryInfo: created(c, "find its memory", (out) => c.createMemoryInfo(0, 0, out)),
  };
}

const logLevel = { fatal: 4 } as const;

/** Since 1.30 ONNX Runtime sends events to its maker, unless this variable is set when it starts. */
const telemetrySwitch = "ORT_DISABLE_TELEMETRY";

/** Calls a function that writes one value and returns a status; throws a PredictError with ONNX Runtime's own reason. */
export function created<Value = Pointer>(
  c: OnnxruntimeFunctions,
  what: string,
  call: (out: [Value | null]) => Pointer,
): Value {
  const out: [Value | null] = [null];
  check(c, what, call(out));
  return out[0]!;
}

/** Throws a PredictError with ONNX Runtime's own reason unless the status is 0; frees the status. */
export function check(c: OnnxruntimeFunctions, what: string, status: Pointer): void {
  if (status === 0 || status === 0n) return;
  const [reason = ""] = String(c.errorMessage(status)).split("\n");
  c.statusFree(status);
  throw new PredictError(`ONNX Runtime cannot ${what}: ${reason.trim().replace(/\.$/, "")}.`);
}
