/** The part of WebAssembly's interface that the engine uses: TypeScript declares it with the DOM only. */
declare namespace WebAssembly {
  class Memory {
    readonly buffer: ArrayBuffer;
  }
  interface Module {
    readonly [Symbol.toStringTag]: string;
  }
  class Instance {
    readonly exports: unknown;
    constructor(module: Module, imports: { env: { memory: Memory } });
  }
  function validate(bytes: ArrayBufferView): boolean;
  function compile(bytes: ArrayBufferView): Promise<Module>;
}
