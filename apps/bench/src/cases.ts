import { type NetworkName, networks } from "./networks.ts";
import type { SystemName } from "./systems.ts";

export type Optimizer = "sgd" | "adam" | "rmsprop";
export type Precision = "float32" | "bfloat16" | "float16";

/** The work one process does for a case; cases that share it are read from one process. */
export interface Work {
  readonly do: "train" | "predict" | "load" | "build" | "data" | "accuracy";
  readonly network: NetworkName;
  readonly batch: number;
  readonly optimizer: Optimizer;
  readonly precision: Precision;
  readonly device: "cpu" | "cuda";
  /** What is read from disk: MNIST's files, or a folder of JPEG pictures. */
  readonly data?: "mnist" | "jpeg";
  /** Threads, where the case and not the command line sets them. */
  readonly threads?: number;
}

/** What is read from the process: milliseconds a step, milliseconds of the first step, megabytes, seconds. */
export type Reading = "times" | "firstStep" | "peakMemory" | "seconds";

/** One row of the table of cases. */
export interface Case {
  readonly name: string;
  readonly work: Work;
  readonly reading: Reading;
  readonly unit: "ms" | "MB" | "s";
  /** The systems that can do it. */
  readonly systems: readonly SystemName[];
  /** Belongs to `--quick`. */
  readonly quick: boolean;
  /** Variants that are left out, since they take long to start and cannot win here. */
  readonly without?: readonly string[];
  /** At most so many rounds. */
  readonly rounds?: number;
}

const training: readonly SystemName[] = ["convkit", "convkit-bf16", "tfjs-node", "keras", "torch"];
const predicting: readonly SystemName[] = ["convkit", "convkit-bf16", "tfjs-node", "keras", "torch", "onnxruntime"];

/** Several steps a call save what a call costs, which only small networks feel. */
const severalSteps = ["steps", "steps_per_execution"] as const;
/** Compilers take half a minute to start; they are left out where those of the first rows show that they cannot win. */
const compilers = ["xla", "compile"] as const;
/** On large maps PyTorch's default layout is about twice behind its channels last. */
const forLargeSteps = [...severalSteps, ...compilers, "contiguous"];

interface Trained {
  readonly optimizer?: Optimizer;
  /** Whether WebAssembly trains it in bearable time. */
  readonly wasm?: boolean;
  /** Whether tfjs in plain JavaScript does. */
  readonly javascript?: boolean;
  readonly quick?: boolean;
  readonly without?: readonly string[];
}

const trained: readonly (readonly [NetworkName, number, Trained])[] = [
  ["lenet5", 32, { wasm: true, javascript: true, quick: true }],
  ["inception-cifar10", 128, { wasm: true, without: [...severalSteps, "xla"] }],
  ["resnet50-small", 32, { wasm: true, quick: true, without: [...severalSteps, "xla"] }],
  ["mini-xception", 32, { without: forLargeSteps }],
  ["vgg16-inception", 8, { without: forLargeSteps }],
  ["simple-cnn", 32, { wasm: true, without: compilers }],
  ["residual-stack", 32, { wasm: true, without: [...severalSteps, ...compilers] }],
  ["residual-same", 128, { wasm: true, without: compilers }],
  ["residual-different", 128, { wasm: true, without: compilers }],
  ["googlenet", 8, { without: forLargeSteps }],
  ["resnet50", 8, { without: forLargeSteps }],
  ["inception-cifar10", 128, { optimizer: "adam", without: [...severalSteps, ...compilers] }],
  ["mini-xception", 32, { optimizer: "rmsprop", without: forLargeSteps }],
];

interface Predicted {
  /** The batches that WebAssembly predicts in bearable time. */
  readonly wasm?: readonly number[];
  /** The batches that `--quick` takes. */
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

const base = { optimizer: "sgd", precision: "float32", device: "cpu" } as const;

function trainingCases(): Case[] {
  return trained.flatMap(([network, batch, options]) => {
    const { optimizer = "sgd", wasm = false, javascript = false, quick = false, without = [] } = options;
    const work: Work = { ...base, do: "train", network, batch, optimizer };
    const systems: readonly SystemName[] = [
      ...training,
      ...(wasm ? (["convkit-wasm"] as const) : []),
      ...(javascript ? (["tfjs-cpu"] as const) : []),
    ];
    const one = { work, systems, quick, without };
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
      without: networks[network].input[0] < 128 ? [] : ["compile", "contiguous"],
    })),
  );
}

function loadCases(): Case[] {
  return (["resnet50"] as const).map((network) => ({
    name: `load/${network}`,
    work: { ...base, do: "load", network, batch: 1 },
    reading: "times",
    unit: "ms",
    systems: ["convkit", "tfjs-node", "keras", "torch", "onnxruntime"],
    quick: false,
    rounds: 2,
  }));
}

/** A network with fresh weights, in a process that has built none before. */
function buildCases(): Case[] {
  const work: Work = { ...base, do: "build", network: "resnet152", batch: 1 };
  const systems = ["convkit", "tfjs-node", "keras", "torch"] as const;
  return [{ name: "build/resnet152", work, reading: "times", unit: "ms", systems, quick: false, rounds: 2 }];
}

/** What cases of data and of scaling share. */
const besideKerasAndTorch = {
  reading: "times",
  unit: "ms",
  systems: ["convkit", "keras", "torch"],
  quick: false,
  rounds: 2,
} as const;

/** From files to the batches that the system's own training step takes, shuffled. */
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

/** Training steps and the decoding of pictures with one thread, beside `train/` and `data/` with all of them. */
function scaleCases(): Case[] {
  const networks = [
    ["lenet5", 32],
    ["resnet50-small", 32],
  ] as const;
  return [
    ...networks.map(([network, batch]): Case => ({
      ...besideKerasAndTorch,
      name: `scale/${network}-b${batch}-threads1`,
      work: { ...base, do: "train", network, batch, threads: 1 },
      without: ["xla", "compile"],
    })),
    {
      ...besideKerasAndTorch,
      name: "scale/jpeg-180-b32-workers1",
      work: { ...base, do: "data", data: "jpeg", network: "mini-xception", batch: 32, threads: 1 },
    },
  ];
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
    })),
  );
}

/** Every case, in the order in which they are measured and printed. */
export const cases: readonly Case[] = [
  ...trainingCases(),
  ...predictionCases(),
  ...loadCases(),
  ...buildCases(),
  ...dataCases(),
  ...accuracyCases(),
  ...scaleCases(),
  ...gpuCases(),
];

/**
 * The cases that a command line picks by prefix (`train`), name or glob (`*\/lenet5-*`); all of them for none.
 *
 * Throws for a pattern that picks nothing, listing the cases.
 */
export function selectCases(patterns: readonly string[], from: readonly Case[] = cases): Case[] {
  const tests = patterns.map(matcher);
  for (const [index, test] of tests.entries()) {
    if (!from.some(({ name }) => test(name)))
      throw new UnknownCaseError(
        `There is no case "${patterns[index]}"; the cases are ${from.map(({ name }) => name).join(", ")}.`,
      );
  }
  return from.filter(({ name }) => tests.length === 0 || tests.some((test) => test(name)));
}

/** A pattern that picks no case: the command line was wrong. */
export class UnknownCaseError extends Error {}

function matcher(pattern: string): (name: string) => boolean {
  if (!/[*?]/.test(pattern)) return (name) => name === pattern || name.startsWith(pattern);
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  const expression = new RegExp(`^${source}$`);
  return (name) => expression.test(name);
}
