import { disagreement } from "./agreement.ts";
import type { Reply } from "../drivers/protocol.ts";
import type { Network } from "../cases/networks.ts";
import type { SystemName } from "../cases/systems.ts";

/** The answer of a system to a request for work. */
export interface Answer {
  readonly system: SystemName;
  readonly reply: Reply;
  /** True for bfloat16 or float16, which may round more. */
  readonly half: boolean;
  /** True if the precision is the one that the work asks for; only such an answer can be the reference. */
  readonly isFull: boolean;
}

/** Systems that share code share mistakes, so they have one vote. ONNX Runtime and OpenVINO run the graph that PyTorch exports. */
const voices: Readonly<Record<SystemName, string>> = {
  convkit: "convkit",
  "convkit-bf16": "convkit",
  "convkit-wasm": "convkit",
  "tfjs-node": "tfjs",
  "tfjs-cpu": "tfjs",
  keras: "keras",
  torch: "torch",
  onnxruntime: "torch",
  openvino: "torch",
};

/**
 * Compares the answers to the same work. The first valid answer is the reference, until more systems agree with each
 * other than with it: one wrong peer must not cost the others their rows.
 */
export class Jury<Key> {
  readonly #network: Network | undefined;
  readonly #answers = new Map<Key, Answer>();
  #reference: Answer | undefined;

  /** `network` is undefined for data cases. */
  constructor(network: Network | undefined) {
    this.#network = network;
  }

  /** Adds an answer and returns why it differs from the reference, or undefined. If the reference changes, returns this for all answers. */
  hear(key: Key, answer: Answer): ReadonlyMap<Key, string | undefined> {
    const unsound = this.#difference(answer, answer);
    if (unsound !== undefined) return new Map([[key, unsound]]);
    this.#answers.set(key, answer);
    const before = this.#reference;
    if (answer.isFull && (before === undefined || this.#outvotes(answer, before))) this.#reference = answer;
    const judged = this.#reference === before ? [[key, answer] as const] : [...this.#answers];
    return new Map(judged.map(([each, its]) => [each, this.#difference(its, this.#reference ?? its)]));
  }

  #outvotes(answer: Answer, reference: Answer): boolean {
    return this.#difference(answer, reference) !== undefined && this.#votes(answer) > this.#votes(reference);
  }

  #votes(reference: Answer): number {
    const agreeing = [...this.#answers.values()].filter(
      (each) => each.isFull && this.#difference(each, reference) === undefined,
    );
    return new Set(agreeing.map(({ system }) => voices[system])).size;
  }

  #difference(answer: Answer, reference: Answer): string | undefined {
    return disagreement(this.#network, answer.reply, reference.reply, answer.half);
  }
}
