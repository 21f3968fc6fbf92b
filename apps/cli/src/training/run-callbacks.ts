import {
  type Callback,
  earlyStopping,
  mlflow,
  reduceOnPlateau,
  stepHistory,
  tensorBoard,
  track,
  trackio,
  trainingHealth,
  webhook,
} from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { trainingProgress } from "./progress.ts";
import type { RunConfig } from "./run-config.ts";
import type { RunPlace } from "./run-place.ts";

/** The callbacks of a run: progress, events, stopping, and what is told to other programs. */
export function runCallbacks(context: Context, config: RunConfig, place: RunPlace): Callback[] {
  return [
    trainingProgress(context.out),
    ...writers(context, config, place),
    ...decisions(config),
    ...webhooks(context, place),
    ...trackers(context, config, place),
  ];
}

/** Tells of a file that cannot be written. */
export function tellAndGoOn({ out }: Context, { message }: Error): void {
  out.note(`${message.replace(/\.$/, "")}. The training goes on.`);
}

/** The callbacks that decide on rate and end, from numbers that all workers have. */
export function decisions({ plan }: RunConfig): Callback[] {
  return [
    ...(plan.earlyStopping ? [earlyStopping(plan.earlyStopping)] : []),
    ...(plan.reduceOnPlateau ? [reduceOnPlateau(plan.reduceOnPlateau)] : []),
  ];
}

/** The callbacks that write into the run directory. */
function writers(context: Context, { plan, health, logSteps }: RunConfig, { keepGoing }: RunPlace): Callback[] {
  const onError = keepGoing === true ? (error: Error) => tellAndGoOn(context, error) : undefined;
  return [
    tensorBoard({ histograms: plan.histograms ?? 0, everySteps: logSteps ?? 0, onError }),
    ...(logSteps === undefined ? [] : [stepHistory({ every: logSteps, onError })]),
    ...(health === undefined
      ? []
      : [trainingHealth({ every: health, histograms: (plan.histograms ?? 0) > 0, onError })]),
  ];
}

function webhooks({ out }: Context, { webhook: url }: RunPlace): Callback[] {
  return url === undefined ? [] : [webhook(url, { onError: (error) => out.note(`webhook: ${error.message}`) })];
}

/** The tracker of a run, whose settings are the plan's, with dots between the keys. */
function trackers(
  { out }: Context,
  { name, plan, seed, precision, logSteps }: RunConfig,
  { tracker }: RunPlace,
): Callback[] {
  if (tracker === undefined) return [];
  const { kind, url } = tracker;
  // A token on the command line could be read by other users of the machine.
  const writeToken = process.env["TRACKIO_WRITE_TOKEN"];
  const settings = { seed, precision, ...flat(plan) };
  return [
    track(kind === "mlflow" ? mlflow(url, { experiment: name }) : trackio(url, { project: name, writeToken }), {
      settings,
      everySteps: logSteps ?? 0,
      onNote: (note) => out.note(note),
    }),
  ];
}

function flat(value: object, path = ""): Record<string, string> {
  const rows = Object.entries(value).flatMap(([key, each]: [string, unknown]) => {
    if (each === undefined) return [];
    const isRecord = typeof each === "object" && each !== null && !Array.isArray(each);
    return isRecord ? Object.entries(flat(each, `${path}${key}.`)) : [[`${path}${key}`, String(each)] as const];
  });
  return Object.fromEntries(rows);
}
