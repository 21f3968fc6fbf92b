/** The kernel that a module in base64 holds. */
export function instantiate<Kernel>(base64: string): Kernel {
  return new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(base64, "base64"))).exports as unknown as Kernel;
}

/** The bytes of a kernel's memory, at least so many. */
export function heapOf(memory: WebAssembly.Memory, bytes: number): Uint8Array {
  const missing = bytes - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / 65_536));
  return new Uint8Array(memory.buffer);
}

/** Up to where a vector may begin. */
export function roundUp(bytes: number): number {
  return (bytes + 15) & ~15;
}
