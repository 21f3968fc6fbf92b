/** The module, memory and address through which helper threads get work. */
export interface Helpers {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  control: number;
}
