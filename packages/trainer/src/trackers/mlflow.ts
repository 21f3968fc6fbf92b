import { checkOptions } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";
import { RefusedRequest, requestJson } from "./post-json.ts";
import type { Tracker } from "./tracker.ts";

/** Options of `mlflow`. */
export interface MlflowOptions {
  /** The experiment, which is made if it does not exist; `Default` by default. */
  readonly experiment?: string | undefined;
  /** Headers of each request, such as `authorization`; none by default. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

const api = "/api/2.0/mlflow";
/** What one request of `runs/log-batch` takes. */
const mostParams = 100;

/**
 * A tracker that writes to a server of MLflow (`mlflow server`) by its REST API 2.0. A run holds the settings as parameters and
 * the numbers as metrics. Throws a `TrainerError` for unknown options.
 */
export function mlflow(url: string, options: MlflowOptions = {}): Tracker {
  checkOptions("mlflow", options, { experiment: true, headers: true }, (message) => new TrainerError(message));
  if (!/^https?:\/\//.test(url))
    throw new TrainerError(`mlflow: expected the address of a server, http://…, got ${url}.`);
  const { experiment = "Default", headers } = options;
  let run: string | undefined;
  const request = (path: string, signal: AbortSignal, body?: object) =>
    requestJson({ url, headers }, `${api}/${path}`, body ? { body, signal } : { method: "GET", signal });
  const experimentId = async (signal: AbortSignal): Promise<string> => {
    const query = `experiments/get-by-name?experiment_name=${encodeURIComponent(experiment)}`;
    try {
      return idIn(await request(query, signal), "experiment", "experiment_id");
    } catch (error) {
      if (!(error instanceof RefusedRequest) || error.status !== 404) throw error;
      return idIn(await request("experiments/create", signal, { name: experiment }), "experiment_id");
    }
  };
  return {
    name: "MLflow",
    async start({ name, settings, id }, signal) {
      if (id !== undefined) {
        run = id;
        await request("runs/update", signal, { run_id: run, status: "RUNNING" });
        return id;
      }
      const body = { experiment_id: await experimentId(signal), run_name: name, start_time: Date.now() };
      run = idIn(await request("runs/create", signal, body), "run", "info", "run_id");
      const params = Object.entries(settings).map(([key, value]) => ({ key: keyOf(key), value: value.slice(0, 6000) }));
      for (let first = 0; first < params.length; first += mostParams)
        await request("runs/log-batch", signal, { run_id: run, params: params.slice(first, first + mostParams) });
      return run;
    },
    async log(values, step, signal) {
      const timestamp = Date.now();
      const metrics = Object.entries(values).map(([key, value]) => ({ key: keyOf(key), value, timestamp, step }));
      if (metrics.length > 0) await request("runs/log-batch", signal, { run_id: run, metrics });
    },
    async end(how, signal) {
      const status = ({ finished: "FINISHED", failed: "FAILED", interrupted: "KILLED" } as const)[how];
      await request("runs/update", signal, { run_id: run, status, end_time: Date.now() });
    },
  };
}

/** The text at a path of an answer. Throws a `TrainerError` where the answer has none. */
function idIn(answer: unknown, ...path: readonly string[]): string {
  const id = path.reduce<unknown>((value, key) => (value as Readonly<Record<string, unknown>> | null)?.[key], answer);
  if (typeof id === "string") return id;
  throw new TrainerError(`expected an answer with ${path.join(".")}, got another one: is it a server of MLflow?`);
}

/** MLflow's names have letters, digits, `_-. /` and at most 250 characters. */
function keyOf(name: string): string {
  return name.replaceAll(/[^\w\-. /]/g, "_").slice(0, 250);
}
