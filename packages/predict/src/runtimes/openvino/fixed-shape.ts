import type { Feed } from "@convkit/graph";

import type { InferRequest } from "../native/infer-request.ts";
import type { Pointer } from "../native/tensors.ts";
import { check, compileModel, readModel, type Openvino } from "./c-api.ts";
import { createRequest, type PortTypes } from "./request.ts";

/** A network compiled for one shape of its input. */
export interface FixedShape {
  readonly request: InferRequest;
  /** Frees the compiled network; the request must be disposed of before. */
  free(): void;
}

/** Calls of each candidate, to find the fastest. */
const rounds = 15;

/**
 * Compiles a network of one input for the shape of a feed, which saves a small network the work of finding its shapes at each call:
 * with the number of threads of the settings, or the runtime's own, and with one thread. Gives the faster one.
 */
export async function compileFixed(
  library: Openvino,
  bytes: Uint8Array,
  settings: Readonly<Record<string, string>>,
  types: PortTypes,
  feed: Feed,
): Promise<FixedShape> {
  const candidates =
    settings["INFERENCE_NUM_THREADS"] === "1" ? [settings] : [settings, { ...settings, INFERENCE_NUM_THREADS: "1" }];
  const made: FixedShape[] = [];
  const close = ({ request, free }: FixedShape): void => {
    request.dispose();
    free();
  };
  try {
    for (const each of candidates) made.push(await compiledFor(library, bytes, each, types, feed));
    const best = made.map(() => Infinity);
    for (const { request } of made) await request.run([feed]);
    for (let round = 0; round < rounds; round++)
      for (const [index, { request }] of made.entries()) {
        const start = performance.now();
        request.runNow([feed]);
        best[index] = Math.min(best[index]!, performance.now() - start);
      }
    const fastest = made[best.indexOf(Math.min(...best))]!;
    for (const each of made) if (each !== fastest) close(each);
    return fastest;
  } catch (error) {
    made.forEach(close);
    throw error;
  }
}

async function compiledFor(
  library: Openvino,
  bytes: Uint8Array,
  settings: Readonly<Record<string, string>>,
  types: PortTypes,
  feed: Feed,
): Promise<FixedShape> {
  const { c } = library;
  const model = readModel(library, bytes);
  let compiled: Pointer;
  try {
    const dims = BigInt64Array.from(feed.shape.flatMap((size) => [BigInt(size), BigInt(size)]));
    const rank = { min: feed.shape.length, max: feed.shape.length };
    check(c, "fix the shape", c.reshape(model, { rank, dims }));
    compiled = await compileModel(library, model, settings);
  } finally {
    c.modelFree(model);
  }
  const free = (): void => c.compiledFree(compiled);
  try {
    return { request: createRequest(library, compiled, types, [feed]), free };
  } catch (error) {
    free();
    throw error;
  }
}
