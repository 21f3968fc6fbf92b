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
  /** Bytes of JavaScript's buffers, which lie outside of the heap. */
  readonly buffers: number;
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

/** How much more a process holds each time the work was done. */
export interface Growth extends Held {
  readonly name: string;
  readonly times: number;
  readonly isFlat: boolean;
  /** What grew by more than its limit; empty where all is flat. */
  readonly leaks: readonly (keyof Held)[];
  /** The growth of a shorter run, which was not flat and so was repeated. */
  readonly before?: Growth;
}

/**
 * Readings at most, and bytes over all times that are noise: what V8 learns about rare branches, pages that an allocator keeps.
 * The flags of `find.ts` keep what V8 compiles out of the heap.
 */
const readings = 10;
const noise = { heap: 16 << 10, buffers: 16 << 10, resident: 16 << 20 };

/**
 * Measures the work; growth that is not flat must show in a run three times as long, in the same process, before it counts as a leak.
 * Compiled functions are measured once more if their heap alone grew: V8 keeps up to 250 kB of the last ones at one reading and not at another.
 */
export async function growthOf(work: Repeated, times: number): Promise<Growth> {
  const first = await measure(work, times);
  if (first.isFlat) return first;
  const growth = await measure(work, 3 * times);
  const isDoubtful = work.isCompiled === true && growth.leaks.every((of) => of === "heap");
  return { ...(isDoubtful && !growth.isFlat ? await measure(work, 3 * times) : growth), before: first };
}

/** Does the work `times` times after a warm-up, and fits a line to what the process holds. */
async function measure(
  { name, begin, period = 1, names = 0, isCompiled = false }: Repeated,
  times: number,
): Promise<Growth> {
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
  const done = every * steps;
  const slope = (of: keyof Held) => medianSlope(held.map((each) => each[of])) / every;
  const growth: Held = {
    tensors: slope("tensors"),
    sessions: slope("sessions"),
    files: slope("files"),
    heap: isCompiled ? Math.min(slope("heap"), slopeOfLeast(held.map(({ heap }) => heap)) / every) : slope("heap"),
    buffers: slope("buffers"),
    resident: slope("resident"),
  };
  const limits: Held = {
    tensors: 0,
    sessions: 0,
    files: 0,
    heap: names + 64 + noise.heap / done,
    buffers: noise.buffers / done,
    resident: noise.resident / done,
  };
  const leaks = (Object.keys(limits) as (keyof Held)[]).filter((of) => growth[of] > limits[of]);
  return { name, times: done, isFlat: leaks.length === 0, leaks, ...growth };
}

async function holds(): Promise<Held> {
  if (globalThis.gc === undefined) throw new Error("Leaks are measured with node --expose-gc.");
  await collect();
  const { heapUsed, external } = process.memoryUsage();
  return {
    tensors: tf.memory().numTensors,
    sessions: sessions.open,
    files: openFiles(),
    heap: heapUsed,
    buffers: external,
    resident: rss(),
  };
}

/** Collects garbage until nothing more is freed. Finalizers, and what they free, run between collections. */
async function collect(): Promise<void> {
  let before = Infinity;
  for (let round = 0; round < 12; round++) {
    globalThis.gc!();
    await setImmediate();
    await setImmediate();
    const { heapUsed, external } = process.memoryUsage();
    const after = heapUsed + external;
    if (round >= 2 && after > before - 512) return;
    before = after;
  }
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

/**
 * The median of the slopes between any two readings (Theil and Sen), or between neighbors if that is larger. A few readings far off
 * move neither; a single fall, when V8 frees what it has not used for long, hides a leak from the first and not from the second.
 */
function medianSlope(values: readonly number[]): number {
  const slopes = (farthest: number): number[] =>
    values.flatMap((a, i) => values.slice(i + 1, i + 1 + farthest).map((b, ahead) => (b - a) / (ahead + 1)));
  return Math.max(median(slopes(values.length)), median(slopes(1)));
}

/** The slope from the least of the first readings to the least of the last: garbage that is still there only adds to what is held. */
function slopeOfLeast(values: readonly number[]): number {
  const part = Math.ceil(values.length / 3);
  return (Math.min(...values.slice(-part)) - Math.min(...values.slice(0, part))) / (values.length - part);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
