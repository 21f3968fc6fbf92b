import { allReduce, compile, type Worker } from "@convkit/graph";
import type * as tf from "@tensorflow/tfjs-core";

/** Numbers in one message. */
const CHUNK = 1 << 20;

const sum = () => compile((numbers: tf.Tensor) => allReduce([numbers])[0]!);

/** Sends texts and bytes between the workers before a training, by the same collective ops; all workers make the same calls. */
export class Exchange {
  readonly #worker: Worker;
  readonly #sum = sum();

  constructor(worker: Worker) {
    this.#worker = worker;
  }

  /** The chief's bytes, for every worker; `bytes` is read in the chief only. */
  async broadcast(bytes: Uint8Array | undefined): Promise<Uint8Array> {
    return this.#send(bytes ?? new Uint8Array(), 0);
  }

  /** The text of each worker, by rank. */
  async gather(text: string): Promise<string[]> {
    const texts: string[] = [];
    for (let rank = 0; rank < this.#worker.count; rank += 1)
      texts.push(new TextDecoder().decode(await this.#send(new TextEncoder().encode(text), rank)));
    return texts;
  }

  async dispose(): Promise<void> {
    await this.#sum.dispose();
  }

  /** The bytes of the worker `rank`: the others add zeros, and sums of whole numbers are exact. */
  async #send(bytes: Uint8Array, rank: number): Promise<Uint8Array> {
    const isSender = rank === this.#worker.rank;
    const [length] = await this.#total(Int32Array.of(isSender ? bytes.length : 0));
    const words = Math.ceil(length! / 4);
    const made = new Int32Array(words);
    if (isSender) new Uint8Array(made.buffer).set(bytes);
    for (let from = 0; from < words; from += CHUNK) {
      // Few sizes, since each has a graph of its own.
      const chunk = new Int32Array(Math.min(CHUNK, 2 ** Math.ceil(Math.log2(words - from))));
      if (isSender) chunk.set(made.subarray(from, from + chunk.length));
      const got = await this.#total(chunk);
      made.set(got.subarray(0, Math.min(chunk.length, words - from)), from);
    }
    return new Uint8Array(made.buffer, 0, length);
  }

  async #total(numbers: Int32Array): Promise<Int32Array> {
    const { data } = (await this.#sum(numbers as never)) as unknown as { data: Int32Array };
    return data;
  }
}
