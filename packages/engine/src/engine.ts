/** The engines of Node. `auto` takes the first of them that can be used, and never `webgpu`. */
export const nodeEngineNames = ["gpu", "native", "wasm", "webgpu"] as const;

/** The engines of a web page, best first. */
export const pageEngineNames = ["webgpu", "webgl", "wasm"] as const;

/** Which TensorFlow runs in Node: CUDA, the CPU, WebAssembly, or tfjs' backend for WebGPU. */
export type EngineName = (typeof nodeEngineNames)[number];

/** Which of tfjs' backends runs in a web page. */
export type PageEngineName = (typeof pageEngineNames)[number];

/** The GPU, or the program in its place, that `webgpu` computes on. */
export interface GpuAdapter {
  /** Its vendor, architecture and name, as far as the driver tells them. */
  readonly name: string;
  /** True for a program that computes on the processor, which is slow. */
  readonly isSoftware: boolean;
  /** The most bytes of a tensor. */
  readonly largestTensor: number;
}

/** An engine in use; `Name` is `PageEngineName` in a web page. */
export interface Engine<Name extends EngineName | PageEngineName = EngineName> {
  readonly name: Name;
  /** tfjs' name of the backend. */
  readonly backend: Name extends PageEngineName ? Name : "tensorflow";
  /** TensorFlow's version; undefined on the engines that are not TensorFlow's library. */
  readonly tensorflow?: string | undefined;
  /** Threads that compute; 1 on `webgpu` and `webgl`. */
  readonly threads: number;
  /** What `webgpu` computes on in Node; missing on other engines and in web pages. */
  readonly adapter?: GpuAdapter | undefined;
  readonly isGpu: boolean;
}

/** Options of `useEngine`. */
export interface UseOptions {
  /** Threads to compute with; by default the engine decides. */
  readonly threads?: number | undefined;
  /**
   * Called with one line that says which engines `auto` could not use, why, and how to install the faster one; standard error by
   * default, the console in a web page.
   */
  readonly onNotice?: ((line: string) => void) | undefined;
  /** Installs the engine first if it is missing: `auto` the native one, `gpu` where there is a GPU. False by default; only in Node. */
  readonly install?: boolean | undefined;
  /**
   * In a web page without a bundler that copies files: the address of the folder with the WebAssembly files of `@convkit/engine`; by
   * default they lie beside the bundle. Only in web pages.
   */
  readonly wasmPath?: string | undefined;
}
