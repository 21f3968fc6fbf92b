import type { Draw } from "../draw.ts";

/** What reads files that somebody else may have written. */
export interface Subject {
  readonly name: string;
  /** Writes the valid files into a folder, once. Throws where this machine cannot. */
  prepare(folder: string): Promise<void>;
  /** The files, relative to the folder, of which one is damaged at a time: every file by default, none for an empty list. */
  readonly files?: readonly string[];
  /** Reads the folder with all that a user may do with it; throws what the reader throws. */
  use(folder: string, how: Use): Promise<void>;
  /** True if reading changes the folder, so that every mutant needs a new copy. */
  readonly writes?: boolean;
  /** What an error's message names instead of the damaged file. */
  readonly names?: RegExp;
}

/** What a reading may depend on. */
export interface Use {
  /** The damaged file, relative to the folder. */
  readonly file: string;
  readonly draw: Draw;
}

/** How a mutant was taken. */
export type Verdict = "read" | "refused" | "untyped" | "unnamed" | "memory" | "hang" | "crash";

/** A mutant that was taken badly. */
export interface Finding {
  readonly subject: string;
  readonly seed: number;
  readonly index: number;
  readonly file: string;
  readonly verdict: Verdict;
  readonly message: string;
}

/** Mutants that a worker reads: `count` of a subject, from an index on. */
export interface Task {
  readonly name: string;
  readonly from: number;
  readonly count: number;
}

/** A message of the worker to the process that watches it. */
export type Report =
  | { readonly kind: "begin"; readonly subject: string; readonly index: number; readonly file: string }
  | { readonly kind: "end"; readonly verdict: Verdict; readonly message: string }
  | { readonly kind: "finished"; readonly reason: string | undefined };
