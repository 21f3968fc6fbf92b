import { availableParallelism } from "node:os";
import { caseMatcher } from "./case-matcher.ts";
import { type NetworkName, networks } from "./networks.ts";
import type { SystemName } from "./systems.ts";
import { UsageError } from "../usage-error.ts";

export type Optimizer = "sgd" | "adam" | "rmsprop";
export type Precision = "float32" | "bfloat16" | "float16";

/** The work that one process does for a case. Cases with equal work share a process. */
export interface Work {
  readonly do: "train" | "predict" | "load" | "build" | "data" | "accuracy";
  readonly network: NetworkName;
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly precision: Precision;
  readonly device: "cpu" | "cuda";
  /** What is read from disk: MNIST's files, or a folder of JPEG pictures. */
  readonly data?: "mnist" | "jpeg";
  /** Number of threads, if the case sets it instead of the command line. */
  readonly threads?: number;
  /** True if this work shares its process with no other work. */
  readonly alone?: boolean;
}

/** What a case measures: milliseconds per step, milliseconds of the first step, megabytes or seconds. */
export type Reading = "times" | "firstStep" | "peakMemory" | "seconds";

/** One row of the table of cases. */
export interface Case {
  readonly name: string;
  readonly work: Work;
  readonly reading: Reading;
  readonly unit: "ms" | "MB" | "s";
  /** The systems that can run the case. */
  readonly systems: readonly SystemName[];
  /** True if `--quick` runs the case. */
  readonly quick: boolean;
  /** Variants that are left out, because they start slowly and cannot win here. */
  readonly without?: readonly string[];
  /** The most rounds to measure. */
  readonly rounds?: number;
  /** Systems that are not run, each with the reason as a sentence for its row. */
  readonly cannot?: Readonly<Partial<Record<SystemName, string>>>;
}

const training: readonly SystemName[] = ["convkit", "convkit-bf16", "tfjs-node", "keras", "torch"];
const predicting: readonly SystemName[] = [
  "convkit",
  "convkit-bf16",
  "tfjs-node",
  "keras",
  "torch",
  "onnxruntime",
  "openvino",
];

/** Several steps per call save overhead that matters only for the smallest networks. */
const severalSteps = ["steps", "steps_per_execution"] as const;
/** Compilers take half a minute to start; they are left out where the first rows show that they cannot win. */
const compilers = ["xla", "compile"] as const;
/** On large maps, and with few channels, PyTorch's default layout is about half as fast as its channels last. */
const channelsLastOnly = [...severalSteps, ...compilers, "contiguous"];

interface Trained {
  readonly optimizer?: Optimizer;
  /** True if WebAssembly trains the network in acceptable time. */
  readonly wasm?: boolean;
  /** True if tfjs in plain JavaScript trains the network in acceptable time. */
  readonly javascript?: boolean;
  readonly quick?: boolean;
  readonly without?: readonly string[];
  readonly cannot?: Case["cannot"];
}

/** The most important cases come first, so that an interrupted run has measured them. */
const trained: readonly (readonly [NetworkName, number, Trained])[] = [
  ["lenet5", 32, { wasm: true, javascript: true, quick: true }],
  ["inception-cifar10", 128, { wasm: true, without: [...severalSteps, "xla"] }],
  ["resnet50-small", 32, { wasm: true, quick: true, without: [...severalSteps, ...compilers] }],
  ["mini-xception", 32, { without: channelsLastOnly }],
  [
    "vgg16-inception",
    8,
    {
      without: channelsLastOnly,
      cannot: { "tfjs-node": "stock tfjs cannot train batch norm without gamma: its layer reads one regardless" },
    },
  ],
  ["simple-cnn", 32, { wasm: true, without: compilers }],
  ["residual-stack", 32, { wasm: true, without: channelsLastOnly }],
  ["residual-same", 128, { wasm: true, without: channelsLastOnly }],
  ["residual-different", 128, { wasm: true, without: channelsLastOnly }],
  ["googlenet", 8, { without: channelsLastOnly }],
  ["resnet50", 8, { without: channelsLastOnly }],
  ["inception-cifar10", 128, { optimizer: "adam", without: [...severalSteps, ...compilers, "channels_last"] }],
  [
    "mini-xception",
    32,
    {
      optimizer: "rmsprop",
      without: channelsLastOnly,
      cannot: {
        torch:
          "PyTorch's RMSprop adds epsilon behind the root, Keras' under it: their second losses differ by a tenth, so it would be timed on other work",
      },
    },
  ],
];

interface Predicted {
  /** The batch sizes that WebAssembly predicts in acceptable time. */
  readonly wasm?: readonly number[];
  /** The batch sizes that `--quick` runs. */
  readonly quick?: readonly number[];
}

const all = [1, 8, 32] as const;

const predicted: readonly (readonly [NetworkName, readonly number[], Predicted])[] = [
  ["lenet5", all, { wasm: all }],
  ["simple-cnn", all, { wasm: all }],
  ["inception-cifar10", all, { wasm: all }],
  ["residual-same", all, { wasm: all }],
  ["residual-different", all, { wasm: all }],
  ["residual-stack", all, { wasm: all }],
  ["mini-xception", all, { wasm: [1] }],
  ["resnet50-small", all, { wasm: all }],
  ["resnet50", all, { wasm: [1], quick: [1] }],
  ["googlenet", all, { wasm: [1] }],
  ["inception-v3", [1, 8], { wasm: [1] }],
  ["vgg16", [1, 8], {}],
  ["vgg16-inception", [1, 8], {}],
];

/** Why systems have no row in some cases of training and prediction. */
export const leftOut: Readonly<Partial<Record<SystemName, string>>> = {
  "convkit-wasm":
    "left out: on large pictures, and with other optimizers, it is several times behind, and what mini-xception keeps of a step at batch 32 is more than the 4 GB that WebAssembly addresses",
};

const base = { optimizer: "sgd", precision: "float32", device: "cpu" } as const;

function trainingCases(): Case[] {
  return trained.flatMap(([network, batch, options]) => {
    const { optimizer = "sgd", wasm = false, javascript = false, quick = false, without = [], cannot } = options;
    const work: Work = { ...base, do: "train", network, batch, optimizer };
    const systems: readonly SystemName[] = [
      ...training,
      ...(wasm ? (["convkit-wasm"] as const) : []),
      ...(javascript ? (["tfjs-cpu"] as const) : []),
    ];
    const one = { work, systems, quick, without, ...(cannot && { cannot }) };
    const name = `${network}-b${batch}${optimizer === "sgd" ? "" : `-${optimizer}`}`;
    const step: Case = { ...one, name: `train/${name}`, reading: "times", unit: "ms" };
    if (optimizer !== "sgd") return [step];
    return [
      step,
      { ...one, name: `first-step/${name}`, reading: "firstStep", unit: "ms" },
      { ...one, name: `memory/${name}`, reading: "peakMemory", unit: "MB" },
    ];
  });
}

function predictionCases(): Case[] {
  return predicted.flatMap(([network, batches, { wasm = [], quick = [] }]) =>
    batches.map((batch) => ({
      name: `predict/${network}-b${batch}`,
      work: { ...base, do: "predict" as const, network, batch },
      reading: "times" as const,
      unit: "ms" as const,
      systems: wasm.includes(batch) ? [...predicting, "convkit-wasm" as const] : predicting,
      quick: quick.includes(batch),
      without: slowVariants(network),
    })),
  );
}

/** Variants of prediction that cannot win: compiling takes long, and a large network hides the cost of a call. */
function slowVariants(network: NetworkName): string[] {
  if (networks[network].input[0] >= 128) return ["compile", "contiguous", "predict_on_batch"];
  return network === "lenet5" || network === "simple-cnn" ? [] : ["compile"];
}

/** The largest resident set of a process that builds a network and predicts with it. */
function predictionMemoryCases(): Case[] {
  return (["resnet50"] as const).map((network) => ({
    name: `memory/predict-${network}-b1`,
    work: { ...base, do: "predict", network, batch: 1, alone: true },
    reading: "peakMemory",
    unit: "MB",
    // ONNX Runtime is not here: PyTorch exports its file in the same process, so the memory of both would be measured.
    systems: ["convkit", "convkit-wasm", "tfjs-node", "keras", "torch"],
    quick: false,
    without: slowVariants(network),
    rounds: 1,
  }));
}

function loadCases(): Case[] {
  return (["resnet50"] as const).map((network) => ({
    name: `load/${network}`,
    work: { ...base, do: "load", network, batch: 1 },
    reading: "times",
    unit: "ms",
    systems: ["convkit", "tfjs-node", "keras", "torch", "onnxruntime", "openvino"],
    quick: false,
    rounds: 1,
  }));
}

/** A network with fresh weights, in a process that has built none before. */
function buildCases(): Case[] {
  const work: Work = { ...base, do: "build", network: "resnet152", batch: 1 };
  const systems = ["convkit", "tfjs-node", "keras", "torch"] as const;
  return [{ name: "build/resnet152", work, reading: "times", unit: "ms", systems, quick: false, rounds: 2 }];
}

/** The common fields of the data cases. */
const besideKerasAndTorch = {
  reading: "times",
  unit: "ms",
  systems: ["convkit", "keras", "torch"],
  quick: false,
  rounds: 2,
} as const;

/** Reads files into shuffled batches, as the system's own training step takes them. */
function dataCases(): Case[] {
  return [
    {
      ...besideKerasAndTorch,
      name: "data/mnist-b128",
      work: { ...base, do: "data", data: "mnist", network: "lenet5", batch: 128 },
    },
    {
      ...besideKerasAndTorch,
      name: "data/jpeg-180-b32",
      work: { ...base, do: "data", data: "jpeg", network: "mini-xception", batch: 32 },
    },
  ];
}

/** From the start of the process to 99 % of MNIST's test images. */
function accuracyCases(): Case[] {
  const work: Work = { ...base, do: "accuracy", data: "mnist", network: "lenet5", batch: 128, optimizer: "adam" };
  const systems = ["convkit", "tfjs-node", "keras", "torch"] as const;
  return [{ name: "accuracy/mnist-lenet5", work, reading: "seconds", unit: "s", systems, quick: false, rounds: 1 }];
}

/** Thread counts from one to below the number of cores, doubling. `train/`, `predict/` and `data/` use all cores. */
export function fewerThreads(cores: number): number[] {
  const counts: number[] = [];
  for (let count = 1; count < cores; count *= 2) counts.push(count);
  return counts;
}

/** Training, prediction and the decoding of pictures with fewer threads. */
function scaleCases(): Case[] {
  const steps = [
    ["train", "lenet5", 32],
    ["train", "resnet50-small", 32],
    ["predict", "resnet50-small", 32],
    ["predict", "resnet50", 8],
  ] as const;
  return fewerThreads(availableParallelism()).flatMap((threads) => [
    ...steps.map(([what, network, batch]): Case => ({
      name: `scale/${what}-${network}-b${batch}-threads${threads}`,
      work: { ...base, do: what, network, batch, threads },
      reading: "times",
      unit: "ms",
      systems: ["convkit", "keras", "torch", ...(what === "predict" ? (["onnxruntime"] as const) : [])],
      quick: false,
      without: what === "train" ? compilers : slowVariants(network),
      rounds: 1,
    })),
    {
      ...besideKerasAndTorch,
      name: `scale/data-jpeg-180-b32-workers${threads}`,
      work: { ...base, do: "data", data: "jpeg", network: "mini-xception", batch: 32, threads },
    },
  ]);
}

/** ResNet-50 at 224x224, the usual measure of a GPU; PyTorch trains it with automatic mixed precision. */
function gpuCases(): Case[] {
  return ([64, 256] as const).flatMap((batch) =>
    (["float32", "bfloat16", "float16"] as const).map((precision) => ({
      name: `train/resnet50-b${batch}-gpu${precision === "float32" ? "" : `-${precision}`}`,
      work: { ...base, do: "train" as const, network: "resnet50" as const, batch, precision, device: "cuda" as const },
      reading: "times" as const,
      unit: "ms" as const,
      systems: ["convkit", "torch"] as const,
      quick: false,
      without: severalSteps,
    })),
  );
}

/** Every case, in the order in which they are measured and printed. */
export const cases: readonly Case[] = [
  ...trainingCases(),
  ...predictionCases(),
  ...predictionMemoryCases(),
  ...loadCases(),
  ...buildCases(),
  ...dataCases(),
  ...accuracyCases(),
  ...scaleCases(),
  ...gpuCases(),
];

/**
 * Selects the cases that a command line picks by name, by glob (`*\/lenet5-*`), or by prefix (`train`) if no case has
 * that name. No patterns select all cases. Throws for a pattern that picks nothing, listing the cases.
 */
export function selectCases(patterns: readonly string[], from: readonly Case[] = cases): Case[] {
  const tests = patterns.map((pattern) => {
    const matches = caseMatcher(pattern);
    return /[*?]/.test(pattern) || from.some(({ name }) => matches(name))
      ? matches
      : (name: string) => name.startsWith(pattern);
  });
  for (const [index, test] of tests.entries()) {
    if (!from.some(({ name }) => test(name)))
      throw new UsageError(
        `There is no case "${patterns[index]}"; the cases are ${from.map(({ name }) => name).join(", ")}.`,
      );
  }
  return from.filter(({ name }) => tests.length === 0 || tests.some((test) => test(name)));
}
