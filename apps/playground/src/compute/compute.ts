import type { PageEngineName } from "@convkit/engine";
import type { Pixels } from "@convkit/inspect";
import type { EpochLogs, Evaluation } from "@convkit/trainer";

/** The networks that the page teaches: one of four convolutions from nothing, and a head on MobileNetV2. */
export type NetworkName = "small" | "mobilenet-v2";

/** How pictures are changed at random while a network learns; 0 leaves a change out. */
export interface Augmentation {
  /** Mirrors half of the pictures from left to right. */
  readonly flip: boolean;
  /** The largest turn, in whole turns. */
  readonly rotation: number;
  /** The largest change of size, as a share. */
  readonly zoom: number;
  /** The largest change of brightness, as a share of white. */
  readonly brightness: number;
  /** The largest change of contrast, as a share. */
  readonly contrast: number;
}

export interface TrainingJob {
  readonly classes: readonly { readonly name: string; readonly pictures: readonly Blob[] }[];
  readonly network: NetworkName;
  /** The file of MobileNetV2's weights; by default the one beside the page. */
  readonly weights?: Blob | undefined;
  readonly epochs: number;
  readonly learningRate: number;
  readonly augmentation: Augmentation;
}

/** What a training tells while it runs. */
export interface TrainingReport {
  /** What is done now, as a sentence. */
  readonly doing: string;
  /** From 0 to 1. */
  readonly share: number;
  readonly history: readonly EpochLogs[];
}

/** What a training gave. */
export interface Taught {
  readonly classes: readonly string[];
  readonly network: NetworkName;
  readonly history: readonly EpochLogs[];
  readonly evaluation: Evaluation;
  /** Where the evaluation's pictures come from: those kept for validation, or all where there are too few. */
  readonly judged: "validation" | "all";
  /** Pictures that could not be read, with the reason. */
  readonly skipped: readonly string[];
  /** Why the training ended before its last epoch, where it was not the reader who stopped it. */
  readonly stopReason: string | undefined;
}

export interface Classified {
  /** The probability of each class, in their order. */
  readonly scores: readonly number[];
  /** The picture under its Grad-CAM; only where it was asked for. */
  readonly heat?: Pixels;
}

export type Format = "keras" | "onnx" | "tfjs";

/** What is in a file, for a reader. */
export interface Looked {
  readonly title: string;
  readonly facts: readonly (readonly [what: string, value: string])[];
  /** The picture of the network, an SVG; missing for weights alone. */
  readonly drawing?: string;
  readonly layers?: readonly LayerRow[];
  readonly tensors?: readonly TensorRow[];
  /** The epochs of a run. */
  readonly history: readonly EpochLogs[] | undefined;
  readonly notes: readonly string[];
}

export interface LayerRow {
  readonly name: string;
  readonly type: string;
  readonly shape: string;
  readonly params: number;
  readonly macs: number | null;
  readonly receptiveField: string;
}

export interface TensorRow {
  readonly name: string;
  readonly type: string;
  readonly shape: string;
}

/** A file with its path below what was opened: a worker gets files without it. */
export interface PathAndFile {
  readonly path: string;
  readonly file: File;
}

export type EngineChoice = PageEngineName | "auto";

export interface EngineReport {
  readonly name: PageEngineName;
  readonly threads: number;
  /** Why it is not a faster one; empty where it is the fastest. */
  readonly notice: string;
}

/** What the worker does for the page. Every function rejects with a sentence for the reader. */
export interface Compute {
  /** Starts an engine by name; `auto` is the fastest of this browser. */
  start(name: EngineChoice): Promise<EngineReport>;
  /** A picture as a network would see it in training, `count` times. */
  augmented(picture: Blob, augmentation: Augmentation, count: number): Promise<readonly Pixels[]>;
  /** Teaches a network. `report` is called as it goes on. */
  train(job: TrainingJob, report: (report: TrainingReport) => void): Promise<Taught>;
  /** Ends the training that runs after its step; what was learned is kept. */
  stop(): void;
  /** What the taught network sees in a picture. */
  classify(picture: Blob, isExplained: boolean): Promise<Classified>;
  /** The taught network as files. */
  files(format: Format): Promise<readonly File[]>;
  /** Opens model files, or the files of a run's folder. */
  look(files: readonly PathAndFile[]): Promise<Looked>;
}
