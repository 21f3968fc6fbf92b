/** Instantiates a kernel from a module in base64. */
export function instantiate<Kernel>(base64: string): Kernel {
  return new WebAssembly.Instance(new WebAssembly.Module(bytesOf(base64))).exports as unknown as Kernel;
}

/** The bytes that a text in base64 stands for; `Buffer` is missing in web pages. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}

/** The bytes of a kernel's memory, grown to at least `bytes`. */
export function heapOf(memory: WebAssembly.Memory, bytes: number): Uint8Array {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
  return new Uint8Array(memory.buffer);
}

/** Rounds up to a multiple of 16, where a vector may begin. */
export function roundUp(bytes: number): number {
  return (bytes + 15) & ~15;
}
