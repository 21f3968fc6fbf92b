import { foreignFunctions, withOwnTypes, type ForeignFunction } from "@convkit/engine/internal";
import { findOpenvino } from "@convkit/engine/openvino";

import { PredictError } from "../../predict-error.ts";
import type { Pointer } from "../native/tensors.ts";
import type { OnnxFile } from "../runtime.ts";

/** A property of a compilation, as `ov_property_t`. */
interface Property {
  readonly key: string;
  readonly value: string;
}

// Every object has its own function that frees it; every other function returns a status, 0 for success.
const prototypes = {
  coreCreate: "int ov_core_create(_Out_ uintptr_t *core)",
  coreProperty: "int ov_core_get_property(uintptr_t core, str device, str key, _Out_ ov_text *value)",
  readModel: "int ov_core_read_model(uintptr_t core, str path, str weights, _Out_ uintptr_t *model)",
  readModelOfBytes:
    "int ov_core_read_model_from_memory_buffer(uintptr_t core, const uint8_t *bytes, size_t count, uintptr_t weights, _Out_ uintptr_t *model)",
  reshape: "int ov_model_reshape_single_input(uintptr_t model, ov_shape_range_t shape)",
  modelFree: "void ov_model_free(uintptr_t model)",
  compile:
    "int ov_core_compile_model_props(uintptr_t core, uintptr_t model, str device, size_t count, const ov_property_t *properties, _Out_ uintptr_t *compiled)",
  compileFile:
    "int ov_core_compile_model_from_file_props(uintptr_t core, str path, str device, size_t count, const ov_property_t *properties, _Out_ uintptr_t *compiled)",
  compiledFree: "void ov_compiled_model_free(uintptr_t compiled)",
  inputCount: "int ov_compiled_model_inputs_size(uintptr_t compiled, _Out_ size_t *count)",
  outputCount: "int ov_compiled_model_outputs_size(uintptr_t compiled, _Out_ size_t *count)",
  input: "int ov_compiled_model_input_by_index(uintptr_t compiled, size_t index, _Out_ uintptr_t *port)",
  output: "int ov_compiled_model_output_by_index(uintptr_t compiled, size_t index, _Out_ uintptr_t *port)",
  portName: "int ov_port_get_any_name(uintptr_t port, _Out_ ov_text *name)",
  portShape: "int ov_port_get_partial_shape(uintptr_t port, _Out_ ov_partial_shape_t *shape)",
  portType: "int ov_port_get_element_type(uintptr_t port, _Out_ int *type)",
  portFree: "void ov_output_const_port_free(uintptr_t port)",
  partialShapeFree: "void ov_partial_shape_free(ov_partial_shape_t *shape)",
  createRequest: "int ov_compiled_model_create_infer_request(uintptr_t compiled, _Out_ uintptr_t *request)",
  requestFree: "void ov_infer_request_free(uintptr_t request)",
  setInput: "int ov_infer_request_set_input_tensor_by_index(uintptr_t request, size_t index, uintptr_t tensor)",
  setOutput: "int ov_infer_request_set_output_tensor_by_index(uintptr_t request, size_t index, uintptr_t tensor)",
  getOutput:
    "int ov_infer_request_get_output_tensor_by_index(uintptr_t request, size_t index, _Out_ uintptr_t *tensor)",
  infer: "int ov_infer_request_infer(uintptr_t request)",
  tensorCreate: "int ov_tensor_create(int type, ov_shape_t shape, _Out_ uintptr_t *tensor)",
  tensorData: "int ov_tensor_data(uintptr_t tensor, _Out_ uintptr_t *data)",
  tensorShape: "int ov_tensor_get_shape(uintptr_t tensor, _Out_ ov_shape_t *shape)",
  shapeFree: "int ov_shape_free(ov_shape_t *shape)",
  tensorFree: "void ov_tensor_free(uintptr_t tensor)",
  lastError: "str ov_get_last_err_msg()",
} as const;

/** The C library's functions by our names. */
export type OpenvinoFunctions = Readonly<Record<keyof typeof prototypes, ForeignFunction>>;

/** The C library, loaded, and its core, which finds the CPU's plugin. */
export interface Openvino {
  readonly c: OpenvinoFunctions;
  readonly core: Pointer;
  readonly version: string;
}

let opening: Promise<Openvino> | undefined;
/** Frees a text of the library that was loaded last. */
let freeText: ForeignFunction | undefined;
let areTypesKnown = false;

const own = (prototype: string) => withOwnTypes(prototype, /\bov_(\w+_t|text)\b/g);

/** Names the types of the prototypes: once a process, also where the library does not load at the first try. */
function nameTypes(koffi: ReturnType<typeof foreignFunctions>): void {
  if (areTypesKnown) return;
  areTypesKnown = true;
  koffi.struct(own("ov_property_t"), { key: "str", value: "str" });
  koffi.struct(own("ov_shape_t"), { rank: "int64_t", dims: "int64_t *" });
  koffi.struct(own("ov_dimension_t"), { min: "int64_t", max: "int64_t" });
  koffi.struct(own("ov_partial_shape_t"), { rank: own("ov_dimension_t"), dims: own("ov_dimension_t *") });
  // The same as ov_partial_shape_t, with the numbers of its dimensions one after the other.
  koffi.struct(own("ov_shape_range_t"), { rank: own("ov_dimension_t"), dims: "int64_t *" });
  koffi.disposable(own("ov_text"), "str", (text) => void freeText!(text));
}

/** Loads OpenVINO once a process; throws a PredictError where it is not installed or does not load. */
export function openvino(): Promise<Openvino> {
  opening ??= load().catch((error: unknown) => {
    opening = undefined;
    throw error;
  });
  return opening;
}

async function load(): Promise<Openvino> {
  const installed = await findOpenvino();
  if (installed === undefined)
    throw new PredictError('OpenVINO is not installed: "convkit engine install --predict" installs it.');
  // The system would end this process at the first use of a page that the file has not.
  if (installed.damage !== undefined)
    throw new PredictError(
      `OpenVINO in ${installed.folder} is damaged (${installed.damage}): "convkit engine install --predict" replaces it.`,
    );
  try {
    const koffi = foreignFunctions();
    nameTypes(koffi);
    const library = koffi.load(installed.library);
    freeText = library.func("void ov_free(void *text)");
    const functions = Object.entries(prototypes).map(([name, prototype]) => [name, library.func(own(prototype))]);
    const c = Object.fromEntries(functions) as OpenvinoFunctions;
    return { c, core: created(c, "start", (out) => c.coreCreate(out)), version: installed.version };
  } catch (error) {
    throw new PredictError(
      `OpenVINO in ${installed.folder} does not load (${(error as Error).message.split("\n")[0]}): remove it with "convkit engine remove --predict" and install it again.`,
      { cause: error },
    );
  }
}

/** Calls a function that writes one value and returns a status; throws a PredictError with OpenVINO's own reason. */
export function created<Value = Pointer>(
  c: OpenvinoFunctions,
  what: string,
  call: (out: [Value | null]) => number,
): Value {
  const out: [Value | null] = [null];
  check(c, what, call(out));
  return out[0]!;
}

const invalidArgument = -14;

/** Throws a PredictError with OpenVINO's own reason unless the status is 0. */
export function check(c: OpenvinoFunctions, what: string, status: number): void {
  if (status === 0) return;
  // The library writes no reason for an argument that it does not take: the last one is of another call.
  if (status === invalidArgument) throw new PredictError(`OpenVINO cannot ${what}: it does not take the arguments.`);
  const lines = String(c.lastError()).split("\n");
  const reasons = lines
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/^(Exception from|Check ).*:$/.test(line));
  throw new PredictError(`OpenVINO cannot ${what}: ${reasons.join("; ").slice(0, 400)} (status ${status}).`);
}

/** Reads the path or the bytes of an ONNX file. */
export function readModel({ c, core }: Openvino, file: OnnxFile): Pointer {
  return created(c, "read the model", (out) =>
    typeof file === "string"
      ? c.readModel(core, file, null, out)
      : c.readModelOfBytes(core, file, file.byteLength, 0, out),
  );
}

/** Compiles a model for the CPU, in another thread. */
export function compileModel(
  { c, core }: Openvino,
  model: Pointer,
  settings: Readonly<Record<string, string>>,
): Promise<Pointer> {
  return compiledBy(c, settings, (...rest) => c.compile.async(core, model, ...rest));
}

/** Reads and compiles the model of a path for the CPU, in another thread. */
export function compileFile(
  { c, core }: Openvino,
  file: string,
  settings: Readonly<Record<string, string>>,
): Promise<Pointer> {
  return compiledBy(c, settings, (...rest) => c.compileFile.async(core, file, ...rest));
}

function compiledBy(
  c: OpenvinoFunctions,
  settings: Readonly<Record<string, string>>,
  compile: (...rest: readonly unknown[]) => void,
): Promise<Pointer> {
  const properties: Property[] = Object.entries(settings).map(([key, value]) => ({ key, value }));
  return new Promise((resolve, reject) => {
    const out: [Pointer | null] = [null];
    compile("CPU", properties.length, properties, out, (error: Error | null, status: number) => {
      try {
        if (error !== null) throw error;
        check(c, "compile the model", status);
        resolve(out[0]!);
      } catch (problem) {
        reject(problem as Error);
      }
    });
  });
}
