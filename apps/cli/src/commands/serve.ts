import cluster from "node:cluster";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { basename } from "node:path";
import { isModelName } from "@convkit/models";
import type { LogEntry, ModelServer } from "@convkit/serve";
import { type ModelOptions, modelOptions } from "../inputs/model-options.ts";
import { resolveModel } from "../inputs/model-source.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { userPath } from "../inputs/user-path.ts";
import type { Context } from "../terminal/context.ts";
import { choice, flag, type OptionOf, text, type ValuesOf, whole } from "../terminal/option.ts";
import { printable, printableJson } from "../terminal/printable.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const options = {
  ...modelOptions,
  ...preprocessingOption,
  host: text("<address>", "where to listen (default: 127.0.0.1, this machine only)"),
  port: whole(0, "<n>", "0 takes a free one (default: 8501)"),
  token: text("<text>", "what clients must send as a bearer token; also from CONVKIT_SERVE_TOKEN"),
  maxBatch: whole(1, "<n>", "rows that go through a model at once (default: 32)"),
  maxWait: whole(0, "<ms>", "how long a request waits for others (default: 0)"),
  queue: whole(1, "<n>", "requests inside a model; more get 503 (default: 256)"),
  processes: whole(1, "<n>", "processes that share the port (default: 1)"),
  resend: flag(
    "the first process keeps each request until another has answered it, and asks again where one is killed",
  ),
  bodyLimit: whole(1, "<bytes>", "the largest body, also after decompression (default: 67108864)"),
  pixelLimit: whole(1, "<n>", "pixels that an image file may have (default: 25000000)"),
  label: {
    value: "<name/label=version>",
    about: "a name for a version, as in digits/stable=3; may be repeated",
    read: (value: string, before: readonly string[] = []): readonly string[] => [...before, value],
  } satisfies OptionOf<readonly string[]>,
  timeout: whole(1, "<ms>", "longest time to an answer (default: 30000)"),
  drain: whole(0, "<ms>", "how long it goes on after SIGTERM, not ready (default: 500)"),
  runtime: choice(
    ["auto", "openvino", "onnxruntime", "tensorflow", "wasm"],
    "<name>",
    "what computes; auto measures (default: auto)",
  ),
  precision: choice(["float32", "bfloat16"], "<name>", "of the computations"),
};

/** Answers that are under way, for `--drain`. */
export const savesFirst = true;

/** `convkit serve`: models over HTTP until SIGTERM or Ctrl-C; SIGHUP loads what changed on disk. */
export async function run(context: Context, given: ValuesOf<typeof options>, models: readonly string[]): Promise<void> {
  const { host, port, token, maxBatch, maxWait, queue, bodyLimit, pixelLimit, label, timeout, drain, ...others } =
    given;
  const { runtime, precision, processes = 1, resend, ...modelGiven } = others;
  const sources = named(models);
  checkModelOptions(models, modelGiven);
  if (resend && processes === 1) throw new UsageError("--resend is for several processes: give --processes 2 or more.");
  const { options: global, signal } = context;
  const isSupervisor = processes > 1 && cluster.isPrimary;
  let server: ModelServer | undefined;
  let hungUp = false;
  // A reload that fails is told by the log, and the models from before go on.
  const onHangUp = (): void => {
    // The terminal tells every process; the supervisor reloads them one after the other.
    if (cluster.isWorker) return;
    hungUp = true;
    void server?.reload().catch(() => {});
  };
  const onLog = (entry: LogEntry): void => log(entry, global.quiet);
  process.on("SIGHUP", onHangUp);
  try {
    const { serve, superviseServers } = await import("@convkit/serve");
    if (!isSupervisor) await engineInUse(context, runtime === "wasm" ? "wasm" : undefined);
    const threads = global.threads ?? (processes === 1 ? undefined : threadsOf(processes));
    const start = (): Promise<ModelServer> =>
      serve(sources, {
        host,
        port,
        token: token ?? process.env["CONVKIT_SERVE_TOKEN"],
        maxBatch,
        maxWaitMs: maxWait,
        queue,
        bodyLimit,
        pixelLimit,
        labels: label && labeled(label),
        timeoutMs: timeout,
        drainMs: drain,
        runtime,
        precision,
        // The engine has its threads already.
        threads: runtime === "tensorflow" || runtime === "wasm" ? undefined : threads,
        load: (source) => loaded(context, source, modelGiven),
        onLog,
      });
    server = isSupervisor ? await superviseServers(processes, { onLog, resend }) : await start();
    // A model may have changed after it was loaded, while others were.
    if (hungUp) onHangUp();
    if (cluster.isWorker) return await untilEnd(resend ? undefined : signal);
    const ready = { url: server.url, models: server.models() };
    process.stdout.write(`${global.json ? printableJson(ready) : printable(readyText(ready))}\n`);
    if (!signal.aborted) await once(signal, "abort");
  } finally {
    process.off("SIGHUP", onHangUp);
    await server?.close();
  }
}

/** The processors of one of several processes. */
function threadsOf(processes: number): number {
  return Math.max(1, Math.floor(availableParallelism() / processes));
}

/** Until the signal, if there is one, or until the supervisor has closed the server of this process. */
async function untilEnd(signal: AbortSignal | undefined): Promise<void> {
  if (!process.connected) return;
  const gone = once(process, "disconnect");
  if (signal === undefined) await gone;
  else if (!signal.aborted) await Promise.race([once(signal, "abort"), gone]);
}

/** `NAME=<model>`, or a model under its own name: that of the zoo, or the file's or folder's without its ending. */
function named(models: readonly string[]): Record<string, string> {
  const sources: Record<string, string> = {};
  for (const model of models) {
    const [, given, rest] = /^([\w.-]+)=(.+)$/.exec(model) ?? [];
    const source = rest ?? model;
    const name = given ?? (isModelName(source) ? source : basename(userPath(source)).replace(/\.\w+$/, ""));
    if (Object.hasOwn(sources, name))
      throw new UsageError(`Two models have the name ${name}: give one another name, as in other=${source}.`);
    sources[name] = isModelName(source) ? source : userPath(source);
  }
  return sources;
}

/** `digits/stable=3` as versions by model and label. */
function labeled(texts: readonly string[]): Record<string, Record<string, number>> {
  const labels: Record<string, Record<string, number>> = {};
  for (const each of texts) {
    const [, name, label, version] = /^([\w.-]+)\/([\w.-]+)=(\d{1,15})$/.exec(each) ?? [];
    if (name === undefined)
      throw new UsageError(`--label: expected a model, a label and a version, as in digits/stable=3, got "${each}".`);
    (labels[name] ??= {})[label!] = Number(version);
  }
  return labels;
}

function checkModelOptions(models: readonly string[], given: ModelOptions): void {
  const isGiven = Object.entries(given).some(([name, value]) => value !== undefined && !(name === "top" && value));
  if (isGiven && models.length > 1)
    throw new UsageError("The options of a network of the zoo are for one model: serve it alone, or save it first.");
}

async function loaded(context: Context, source: string, given: ModelOptions) {
  const { isPredictOnly } = await import("@convkit/predict/internal");
  if (isPredictOnly(source)) return { model: source };
  const { seed } = context.options;
  const note = (text: string): void => context.out.note(text);
  const { WeightsError } = await import("@convkit/weights");
  const found = await resolveModel(source, given, seed, note).catch((error: unknown) => {
    // OpenVINO and ONNX Runtime run operators that are no layers, as those of an int8 network.
    if (error instanceof WeightsError && /\.onnx$/i.test(source)) return undefined;
    throw error;
  });
  if (found === undefined) return { model: source };
  const { model, preprocessing, classes, images, isUntrained } = found;
  if (!isUntrained || seed !== undefined) return { model, preprocessing, classes, images };
  model.dispose();
  throw new UsageError(
    `${source} has random weights, so its answers mean nothing: give --weights imagenet or a file of weights, or --seed for random weights.`,
  );
}

/** The log: one JSON object a line on standard error; with --quiet only warnings and errors. */
function log(entry: LogEntry, isQuiet: boolean): void {
  if (isQuiet && entry.level === "info") return;
  const about = cluster.isWorker ? { process: process.pid } : {};
  process.stderr.write(`${printableJson({ time: new Date().toISOString(), ...about, ...entry })}\n`);
}

function readyText({
  url,
  models,
}: {
  readonly url: string;
  readonly models: readonly {
    readonly name: string;
    readonly version: number;
    readonly runtime: string;
    readonly precision: string;
  }[];
}): string {
  const lines = models.map(
    ({ name, version, runtime, precision }) =>
      `  ${url}/classify/${name}   ${url}/v1/models/${name}:predict   (version ${version}, ${runtime}, ${precision})`,
  );
  return [`Serving at ${url} until Ctrl-C:`, ...lines].join("\n");
}
