import type { NetworkName } from "./networks.ts";
import type { SystemName } from "./systems.ts";

export type Optimizer = "sgd" | "adam" | "rmsprop";
export type Precision = "float32" | "bfloat16" | "float16";

/** The work one process does for a case; cases that share it are read from one process. */
export interface Work {
  readonly do: "train" | "predict" | "load" | "data" | "accuracy";
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
}

const training: readonly SystemName[] = ["convkit", "convkit-bf16", "tfjs-node", "keras", "torch"];
const predicting: readonly SystemName[] = [
  "convkit",
  "convkit-bf16",
  "convkit-wasm",
  "tfjs-node",
  "keras",
  "torch",
  "onnxruntime",
];

/** network, batch, whether WebAssembly trains it in bearable time, whether `--quick` takes it, optimizer where not SGD */
const trained: readonly (readonly [NetworkName, number, boolean, boolean, Optimizer?])[] = [
  ["lenet5", 32, true, true],
  ["inception-cifar10", 128, true, true],
  ["resnet50-small", 32, true, true],
  ["mini-xception", 32, false, false],
  ["residual-stack", 32, true, false],
  ["residual-same", 128, true, false],
  ["residual-different", 128, true, false],
  ["inception-cifar10", 128, false, false, "adam"],
  ["mini-xception", 32, false, false, "rmsprop"],
  ["vgg16-inception", 8, false, false],
];

/** network, batches, those that `--quick` takes */
const predicted: readonly (readonly [NetworkName, readonly number[], readonly number[]])[] = [
  ["resnet50", [1, 8, 32], [1]],
  ["lenet5", [1, 8, 32], []],
  ["resnet50-small", [1, 8, 32], [32]],
  ["inception-cifar10", [1, 8, 32], []],
  ["mini-xception", [1, 8, 32], []],
  ["residual-stack", [1, 8, 32], []],
  ["residual-same", [1, 8, 32], []],
  ["residual-different", [1, 8, 32], []],
  ["vgg16-inception", [1, 8], []],
];

const base = { optimizer: "sgd", precision: "float32", device: "cpu" } as const;

function trainingCases(): Case[] {
  return trained.flatMap(([network, batch, wasm, quick, optimizer = "sgd"]) => {
    const work: Work = { ...base, do: "train", network, batch, optimizer };
    const systems: readonly SystemName[] = wasm ? [...training, "convkit-wasm"] : training;
    const name = `${network}-b${batch}${optimizer === "sgd" ? "" : `-${optimizer}`}`;
    const step: Case = { name: `train/${name}`, work, reading: "times", unit: "ms", systems, quick };
    if (optimizer !== "sgd") return [step];
    return [
      step,
      { name: `first-step/${name}`, work, reading: "firstStep", unit: "ms", systems, quick },
      { name: `memory/${name}`, work, reading: "peakMemory", unit: "MB", systems, quick },
    ];
  });
}

function predictionCases(): Case[] {
  return predicted.flatMap(([network, batches, quick]) =>
    batches.map((batch) => ({
      name: `predict/${network}-b${batch}`,
      work: { ...base, do: "predict" as const, network, batch },
      reading: "times" as const,
      unit: "ms" as const,
      systems: predicting,
      quick: quick.includes(batch),
    })),
  );
}

function loadCases(): Case[] {
  return (["resnet50", "vgg16-inception"] as const).map((network) => ({
    name: `load/${network}`,
    work: { ...base, do: "load", network, batch: 1 },
    reading: "times",
    unit: "ms",
    systems: ["convkit", "tfjs-node", "keras", "torch", "onnxruntime"],
    quick: false,
  }));
}

/** From files to the batches that the system's own training step takes, shuffled. */
function dataCases(): Case[] {
  const one = { reading: "times", unit: "ms", systems: ["convkit", "keras", "torch"], quick: false } as const;
  return [
    { ...one, name: "data/mnist-b128", work: { ...base, do: "data", data: "mnist", network: "lenet5", batch: 128 } },
    {
      ...one,
      name: "data/jpeg-180-b32",
      work: { ...base, do: "data", data: "jpeg", network: "mini-xception", batch: 32 },
    },
  ];
}

/** From the start of the process to 99 % of MNIST's test images. */
function accuracyCases(): Case[] {
  const work: Work = { ...base, do: "accuracy", data: "mnist", network: "lenet5", batch: 128, optimizer: "adam" };
  const systems = ["convkit", "tfjs-node", "keras", "torch"] as const;
  return [{ name: "accuracy/mnist-lenet5", work, reading: "seconds", unit: "s", systems, quick: false }];
}

/** The training step with one thread, beside `train/` with all of them. */
function scaleCases(): Case[] {
  const networks = [
    ["lenet5", 32],
    ["resnet50-small", 32],
  ] as const;
  return networks.map(([network, batch]) => ({
    name: `scale/${network}-b${batch}-threads1`,
    work: { ...base, do: "train", network, batch, threads: 1 },
    reading: "times",
    unit: "ms",
    systems: ["convkit", "keras", "torch"],
    quick: false,
  }));
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
