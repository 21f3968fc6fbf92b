/** The systems of the comparison, ours first. */
export const systemNames = [
  "convkit",
  "convkit-bf16",
  "convkit-wasm",
  "tfjs-node",
  "tfjs-cpu",
  "keras",
  "torch",
  "onnxruntime",
  "openvino",
] as const;

export type SystemName = (typeof systemNames)[number];

/** The systems to compare with; `--vs` selects some of them. */
export const peerNames = [
  "keras",
  "torch",
  "onnxruntime",
  "openvino",
  "tfjs-node",
] as const satisfies readonly SystemName[];

export type PeerName = (typeof peerNames)[number];

/** How a system is run: each variant is a process of its own, and the system's row is its fastest. */
export interface System {
  /** The program that runs the system: `python/serve.py`, or `serve` of this package. */
  readonly driver: "python" | "node";
  readonly variants: {
    readonly train: readonly string[];
    readonly predict: readonly string[];
    readonly load: readonly string[];
    readonly build: readonly string[];
    readonly data: readonly string[];
    readonly accuracy: readonly string[];
  };
}

const one = ["default"] as const;

export const systems: Readonly<Record<SystemName, System>> = {
  convkit: {
    driver: "node",
    variants: {
      train: ["compiled", "steps"],
      predict: ["compiled", "openvino", "onnxruntime"],
      load: one,
      build: one,
      data: one,
      accuracy: one,
    },
  },
  "convkit-bf16": {
    driver: "node",
    variants: {
      train: ["compiled", "steps"],
      predict: ["compiled", "openvino"],
      load: one,
      build: one,
      data: one,
      accuracy: one,
    },
  },
  "convkit-wasm": {
    driver: "node",
    variants: { train: ["eager"], predict: ["eager"], load: one, build: one, data: one, accuracy: one },
  },
  "tfjs-node": {
    driver: "node",
    variants: { train: ["eager"], predict: ["eager"], load: one, build: one, data: one, accuracy: one },
  },
  "tfjs-cpu": {
    driver: "node",
    variants: { train: ["eager"], predict: ["eager"], load: [], build: [], data: [], accuracy: [] },
  },
  keras: {
    driver: "python",
    variants: {
      train: ["fit", "steps_per_execution", "xla"],
      predict: ["predict_on_batch", "function"],
      load: one,
      build: one,
      data: one,
      accuracy: ["fit"],
    },
  },
  torch: {
    driver: "python",
    variants: {
      train: ["contiguous", "channels_last", "compile"],
      predict: ["contiguous", "channels_last", "compile"],
      load: ["contiguous"],
      build: ["contiguous"],
      data: ["loader", "workers"],
      accuracy: ["contiguous"],
    },
  },
  onnxruntime: {
    driver: "python",
    variants: { train: [], predict: one, load: one, build: [], data: [], accuracy: [] },
  },
  openvino: {
    driver: "python",
    variants: { train: [], predict: one, load: one, build: [], data: [], accuracy: [] },
  },
};

export function isPeer(name: SystemName): name is PeerName {
  return (peerNames as readonly SystemName[]).includes(name);
}
