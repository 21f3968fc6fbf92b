import { libc } from "../machine/foreign-functions.ts";

/** Runs `work` and discards what native code writes to standard error; for lines that no setting can silence. */
export function withoutStderr<T>(work: () => T): T {
  const library = libc();
  const dup = library.func("int dup(int)") as (fd: number) => number;
  const dup2 = library.func("int dup2(int, int)") as (from: number, to: number) => number;
  const open = library.func("int open(str, int)") as (file: string, flags: number) => number;
  const close = library.func("int close(int)") as (fd: number) => number;
  const writeOnly = 1;
  const kept = dup(2);
  const nowhere = open("/dev/null", writeOnly);
  dup2(nowhere, 2);
  try {
    return work();
  } finally {
    dup2(kept, 2);
    close(kept);
    close(nowhere);
  }
}
