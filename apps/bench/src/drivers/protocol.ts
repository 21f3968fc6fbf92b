import type { Precision } from "../cases/cases.ts";
import type { SystemName } from "../cases/systems.ts";
import type { ProfileSummary } from "../profile/summary.ts";

/** The protocol between the benchmark and the process of a system: JSON lines on standard input and output. */

/** The first line that a driver process is sent. */
export interface DriverOptions {
  readonly system: SystemName;
  readonly variant: string;
  readonly threads: number;
  readonly precision: Precision;
  readonly device: "cpu" | "cuda";
}

/** A driver's answer; its fields depend on the request. */
export interface Reply {
  readonly versions?: Readonly<Record<string, string>>;
  readonly params?: number;
  readonly losses?: readonly number[];
  readonly outputs?: readonly number[];
  /** Milliseconds of the first step, tracing and compiling included. */
  readonly firstStep?: number;
  /** Milliseconds per step, one number per sample. */
  readonly times?: readonly number[];
  /** Seconds from the start of the process to its answer, by the clock of the process that asks. */
  readonly seconds?: number;
  readonly gflops?: number;
  readonly macs?: number;
  /** Time by kind of op in a traced run, the longest first. */
  readonly ops?: readonly { readonly op: string; readonly count: number; readonly ms: number }[];
  readonly profile?: ProfileSummary;
  /** Largest resident set so far, in bytes. */
  readonly peakMemory?: number;
}

/**
 * The requests that a system answers. A missing method is an unsupported request. `python/serve.py` has the same
 * protocol.
 */
export interface Served {
  train(request: TrainRequest): Promise<Reply>;
  predict(request: WorkRequest): Promise<Reply>;
  load(request: WorkRequest & { readonly count: number }): Promise<Reply>;
  build(request: { readonly network: RequestedNetwork }): Promise<Reply>;
  /** Traces one run of the prepared work: returns where the time goes, and writes a Chrome trace if a file is named. */
  profile?(request: { readonly file?: string }): Promise<Reply>;
  macs?(request: { readonly network: RequestedNetwork }): Promise<Reply>;
  /** Measures the peak of matrix products, in GFLOP/s. */
  matmul?(request: { readonly seconds: number; readonly count: number }): Promise<Reply>;
  data?(request: DataRequest): Promise<Reply>;
  accuracy?(request: AccuracyRequest): Promise<Reply>;
  measure(request: { readonly seconds: number; readonly count: number }): Promise<Reply>;
}

export interface WorkRequest {
  readonly network: RequestedNetwork;
  readonly batch: number;
}

export interface TrainRequest extends WorkRequest {
  readonly optimizer: "sgd" | "adam" | "rmsprop";
}

export interface DataRequest {
  readonly source: "mnist" | "jpeg";
  readonly folder: string;
  readonly batch: number;
}

export interface AccuracyRequest extends WorkRequest {
  readonly folder: string;
  readonly target: number;
  readonly epochs: number;
}

export interface RequestedNetwork {
  readonly name: string;
  readonly input: readonly [number, number, number];
  readonly classes: number;
  readonly gain: number;
  readonly scale: number;
  readonly rate?: number;
}
