import { readdirSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import * as tf from "@tensorflow/tfjs-core";
import { tensorflow } from "../../../../packages/graph/src/native/c-api.ts";
import { rss } from "../hostile/memory.ts";

/** What a process holds at one moment. */
export interface Held {
  readonly tensors: number;
  readonly sessions: number;
  /** Open files, sockets and pipes; 0 on systems without /proc. */
  readonly files: number;
  /** Bytes of JavaScript objects. */
  readonly heap: number;
  /** Bytes of memory that the process has from the system. */
  readonly resident: number;
}

/** Work that is done again and again, and must leave nothing behind. */
export interface Repeated {
  readonly name: string;
  /** Times that the work is done by hand, and in a test. */
  readonly times: { readonly long: number; readonly short: number };
  /** Times after which the process holds as much again, where memory is freed now and then: 1 by default. */
  readonly period?: number;
  /** Bytes of the heap that tfjs keeps each time: the names of a network's tensors and weights. 0 by default. */
  readonly names?: number;
  /** True for work that only TensorFlow's engines do. */
  readonly isCompiled?: boolean;
  /** Makes what all times share. */
  begin(): Promise<{ once(): Promise<void>; end(): Promise<void> }>;
}

/** What grew each time the work was done. */
export interface Growth {
  readonly name: string;
  readonly times: number;
  readonly isFlat: boolean;
  readonly tensors: number;
  readonly sessions: number;
  readonly files: number;
  /** Bytes. */
  readonly heap: number;
  /** Bytes. */
  readonly resident: number;
}

/** Readings at most, and bytes over all times that are noise: compiled JavaScript in the heap, pages that an allocator keeps. */
const readings = 10;
const noise = { heap: 256 << 10, resident: 16 << 20 };

/** Does the work `times` times after a warm-up, and fits a line to what the process holds. */
export async function growthOf({ name, begin, period = 1, names = 0 }: Repeated, times: number): Promise<Growth> {
  const { once, end } = await begin();
  const every = period * Math.max(1, Math.floor(times / readings / period));
  const steps = Math.floor(times / every);
  const held: Held[] = [];
  for (let done = 0; done < every * Math.ceil(steps / 2); done++) await once();
  held.push(await holds());
  for (let done = 0; done < every * steps; done++) {
    await once();
    if ((done + 1) % every === 0) held.push(await holds());
  }
  await end();
  const slope = (of: keyof Held) => medianSlope(held.map((each) => each[of])) / every;
  const [tensors, sessions, files] = [slope("tensors"), slope("sessions"), slope("files")];
  const [heap, resident] = [slope("heap"), slope("resident")];
  const done = every * steps;
  const isFlat =
    Math.max(tensors, sessions, files) <= 0 &&
    (heap - names - 64) * done <= noise.heap &&
    resident * done <= noise.resident;
  return { name, times: done, isFlat, tensors, sessions, files, heap, resident };
}

async function holds(): Promise<Held> {
  if (globalThis.gc === undefined) throw new Error("Leaks are measured with node --expose-gc.");
  // Finalizers run between collections.
  for (let round = 0; round < 3; round++) {
    globalThis.gc();
    await setImmediate();
  }
  return {
    tensors: tf.memory().numTensors,
    sessions: sessions.open,
    files: openFiles(),
    heap: process.memoryUsage().heapUsed,
    resident: rss(),
  };
}

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    return 0;
  }
}

const sessions = { open: 0, isCounted: false };

/** Counts TensorFlow's sessions from now on. */
export function countSessions(): void {
  if (sessions.isCounted) return;
  sessions.isCounted = true;
  const library = tensorflow();
  for (const [name, change] of [
    ["TF_NewSession", 1],
    ["TF_DeleteSession", -1],
  ] as const) {
    const plain = library[name];
    const counted = (...args: Parameters<typeof plain>): unknown => {
      sessions.open += change;
      return plain(...args);
    };
    library[name] = Object.assign(counted, { async: plain.async.bind(plain) });
  }
}

/** The median of the slopes between any two readings: a few readings far off do not move it (Theil and Sen). */
function medianSlope(values: readonly number[]): number {
  const slopes = values.flatMap((a, i) => values.slice(i + 1).map((b, ahead) => (b - a) / (ahead + 1)));
  const sorted = slopes.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
