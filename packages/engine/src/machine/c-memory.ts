import { libc, type ForeignFunction } from "./foreign-functions.ts";

let trim: ForeignFunction | undefined;
let setOption: ForeignFunction | undefined;

/** A function of glibc; undefined on other systems, and where koffi has no binary. */
function glibc(prototype: string): ForeignFunction | undefined {
  if (process.platform !== "linux") return undefined;
  try {
    return libc().func(prototype);
  } catch {
    return undefined;
  }
}

/**
 * Gives memory that was freed back to the system, where the C library can (glibc); else it stays for the process. glibc keeps what
 * each thread freed in arenas of the thread.
 */
export function releaseFreedMemory(): void {
  trim ??= glibc("int malloc_trim(size_t pad)");
  trim?.(0);
}

/** Numbers of `malloc.h`. */
const options = { trimThreshold: -1, mapThreshold: -3 } as const;
/** Bytes from which glibc maps a block by itself: at the start of a process, and at most, where it gets by itself as large blocks are freed. */
const mapThreshold = { first: 2 ** 17, largest: 2 ** 25 } as const;

let opening = 0;

/**
 * Runs `open`, which makes and frees many large blocks, with each of them mapped by itself: glibc would soon take them from its heap,
 * where what is freed stays between what is kept. ResNet-50 in ONNX Runtime takes half of the memory then. Other systems, and a
 * process whose user has set these limits, go on as they are.
 */
export async function withLargeBlocksMapped<T>(open: () => Promise<T>): Promise<T> {
  const isSet = process.env["MALLOC_MMAP_THRESHOLD_"] !== undefined || process.env["GLIBC_TUNABLES"] !== undefined;
  if (isSet) return open();
  setOption ??= glibc("int mallopt(int option, int value)");
  if (opening++ === 0) setOption?.(options.mapThreshold, mapThreshold.first);
  try {
    return await open();
  } finally {
    if (--opening === 0) {
      // A fixed limit never moves again: for computing, one that keeps large blocks.
      setOption?.(options.mapThreshold, mapThreshold.largest);
      setOption?.(options.trimThreshold, 2 * mapThreshold.largest);
    }
  }
}
