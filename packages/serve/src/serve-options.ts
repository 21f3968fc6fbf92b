import { checkOptions, OptionError, shown, type OptionNames } from "@convkit/errors";
import { type PredictorOptions, runtimeNames } from "@convkit/predict";
import type { LoadSource } from "./models/model-source.ts";

/** A line of the server's log. */
export interface LogEntry {
  readonly level: "info" | "warning" | "error";
  /** What happened: `request`, `listening`, `loaded`, `reloaded`, `closing`, … */
  readonly event: string;
  readonly [about: string]: unknown;
}

/** Options of `serve`. */
export interface ServeOptions {
  /** The address to listen at; `127.0.0.1`, which only this machine reaches, by default. */
  readonly host?: string | undefined;
  /** The port, TensorFlow Serving's 8501 by default; 0 takes a free one. */
  readonly port?: number | undefined;
  /** What clients must send as `Authorization: Bearer …`; everyone may ask by default. Health checks need none. */
  readonly token?: string | undefined;
  /** The most rows that go through a model at once; 32 by default. */
  readonly maxBatch?: number | undefined;
  /**
   * How long a request waits for others while the model is idle, in milliseconds; 0 by default: what arrives while the model computes
   * goes together next.
   */
  readonly maxWaitMs?: number | undefined;
  /** The most requests inside a model, waiting and computed; more get 503. 256 by default. */
  readonly queue?: number | undefined;
  /** The longest time from the head of a request to its answer, in milliseconds; then 408 or 504. 30,000 by default. */
  readonly timeoutMs?: number | undefined;
  /** The largest body in bytes, also after decompression; 64 MiB by default. */
  readonly bodyLimit?: number | undefined;
  /** The most pixels that an image file may have; 25,000,000 by default. */
  readonly pixelLimit?: number | undefined;
  /** How long `close` goes on accepting, in milliseconds, so that clients and proxies see it is not ready any more; 500 by default. */
  readonly drainMs?: number | undefined;
  /** What computes, as in `predictor`; `auto` by default. */
  readonly runtime?: PredictorOptions["runtime"];
  /** The number format of the computations; `float32` by default. */
  readonly precision?: PredictorOptions["precision"];
  /** Threads of one prediction; by default as many as the runtime takes. */
  readonly threads?: number | undefined;
  /**
   * Names of versions, by model: `{ digits: { stable: 1, canary: 2 } }` answers at `/v1/models/digits/labels/stable`; none by default.
   */
  readonly labels?: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
  /** Loads the model at a path; by default `loadModel` of `@convkit/weights`, and a run directory's model. */
  readonly load?: LoadSource | undefined;
  /** Receives every line of the log; none by default. */
  readonly onLog?: ((entry: LogEntry) => void) | undefined;
}

const optionNames: OptionNames<ServeOptions> = {
  host: true,
  port: true,
  token: true,
  maxBatch: true,
  maxWaitMs: true,
  queue: true,
  timeoutMs: true,
  bodyLimit: true,
  pixelLimit: true,
  drainMs: true,
  runtime: true,
  precision: true,
  threads: true,
  labels: true,
  load: true,
  onLog: true,
};

const defaults = {
  host: "127.0.0.1",
  port: 8501,
  maxBatch: 32,
  maxWaitMs: 0,
  queue: 256,
  timeoutMs: 30_000,
  bodyLimit: 64 * 2 ** 20,
  pixelLimit: 25_000_000,
  drainMs: 500,
} as const;

/** The options with their defaults. */
export type WholeOptions = { readonly [Name in keyof typeof defaults]: Name extends "host" ? string : number } & Pick<
  ServeOptions,
  "token" | "runtime" | "precision" | "threads" | "labels" | "load" | "onLog"
>;

/** Checks the options of `serve` and fills in the defaults. */
export function wholeOptions(options: ServeOptions): WholeOptions {
  checkOptions("serve", options, optionNames);
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const whole = { runtime: "auto", ...defaults, ...given } as WholeOptions;
  const least = { port: 0, maxBatch: 1, maxWaitMs: 0, queue: 1, timeoutMs: 1, bodyLimit: 1, pixelLimit: 1, drainMs: 0 };
  for (const [name, from] of Object.entries(least)) {
    const value = whole[name as keyof typeof least];
    if (Number.isSafeInteger(value) && value >= from && value <= largest(name)) continue;
    throw new OptionError(
      `serve: expected ${name} to be a whole number from ${from}${name === "port" ? " to 65535" : ""}, got ${shown(value)}.`,
    );
  }
  const { runtime, precision, threads, token, host } = whole;
  if (runtime !== "auto" && !runtimeNames.includes(runtime as never))
    throw new OptionError(`serve: expected runtime to be auto, ${runtimeNames.join(", ")}, got ${shown(runtime)}.`);
  if (precision !== undefined && precision !== "float32" && precision !== "bfloat16")
    throw new OptionError(`serve: expected precision to be float32 or bfloat16, got ${shown(precision)}.`);
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1))
    throw new OptionError(`serve: expected threads to be a whole number from 1, got ${shown(threads)}.`);
  if (token !== undefined && !(typeof token === "string" && /^[\x21-\x7e]+$/.test(token)))
    throw new OptionError("serve: expected token to be a text without spaces, got another value or an empty one.");
  if (typeof host !== "string" || host === "")
    throw new OptionError(`serve: expected host to be an address, got ${shown(host)}.`);
  return whole;
}

/** Timers of Node hold 2^31 - 1 milliseconds. */
function largest(name: string): number {
  if (name === "port") return 65_535;
  return name.endsWith("Ms") ? 2 ** 31 - 1 : Number.MAX_SAFE_INTEGER;
}
