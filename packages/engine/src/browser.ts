/**
 * What bundlers take in place of `index.ts` for web pages: the same names. The engines are tfjs' backends of pages; nothing can be
 * installed there.
 */
import { type EngineName, type PageEngineName, pageEngineNames } from "./engine.ts";
import { EngineError } from "./engine-error.ts";

export { EngineError };
export { type Engine, type UseOptions } from "./engine.ts";
export { type EngineName, type PageEngineName, pageEngineNames };
/** The engines that there are here: those of a page. */
export const engineNames: readonly (EngineName | PageEngineName)[] = pageEngineNames;
export { availableEngines, useEngine } from "./page/use-engine.ts";
export { OutOfMemoryError } from "./wasm/runtime/out-of-memory.ts";

/** Throws EngineError: a page installs nothing. */
export const installEngine = async (): Promise<never> => refuse("installEngine");
/** Throws EngineError: a page installs nothing. */
export const listEngines = async (): Promise<never> => refuse("listEngines");
/** Throws EngineError: a page installs nothing. */
export const removeEngine = async (): Promise<never> => refuse("removeEngine");
/** Throws EngineError: a page loads no TensorFlow library. */
export const tensorflowLibrary = (): never => refuse("tensorflowLibrary");
/** Throws EngineError: the report is about a machine's TensorFlow; `availableEngines` tells the engines of a page. */
export const doctor = async (): Promise<never> => refuse("doctor");
/** Throws EngineError like `doctor`. */
export const formatDoctor = (): never => refuse("formatDoctor");

function refuse(name: string): never {
  throw new EngineError(
    `${name} is about TensorFlow's library in Node, which no web page has: availableEngines tells what this page can use.`,
  );
}
