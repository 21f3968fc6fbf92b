import { checkOptions } from "@convkit/errors";
import { TrainerError } from "../trainer-error.ts";
import { RefusedRequest, requestJson } from "./post-json.ts";
import type { Tracker } from "./tracker.ts";

/** Options of `trackio`. */
export interface TrackioOptions {
  /** The project that the run belongs to; `convkit` by default. */
  readonly project?: string | undefined;
  /** The server's token for writing; by default the `write_token` of the address, which `trackio show` prints. */
  readonly writeToken?: string | undefined;
  /** Headers of each request, such as `authorization`; none by default. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/**
 * A tracker that writes to a server of trackio (`trackio show`) by its HTTP interface. A run holds the settings as its config and the
 * numbers as metrics. A training that failed or was interrupted leaves an alert, since trackio has no state of a run. Throws a
 * `TrainerError` for unknown options.
 */
export function trackio(address: string, options: TrackioOptions = {}): Tracker {
  const names = { project: true, writeToken: true, headers: true } as const;
  checkOptions("trackio", options, names, (message) => new TrainerError(message));
  if (!/^https?:\/\//.test(address) || !URL.canParse(address))
    throw new TrainerError(`trackio: expected the address of a server, http://…, got ${address}.`);
  const { origin, pathname, searchParams } = new URL(address);
  const { project = "convkit", headers, writeToken = searchParams.get("write_token") ?? undefined } = options;
  const server = {
    url: `${origin}${pathname}`,
    headers: { ...headers, ...(writeToken !== undefined && { "x-trackio-write-token": writeToken }) },
  };
  let run = { project, run: "", run_id: "" };
  /** The settings, which go with the first numbers. */
  let config: Readonly<Record<string, string>> | undefined;
  const send = async (name: string, kwargs: object, signal: AbortSignal): Promise<void> => {
    try {
      await requestJson(server, `/api/${name}`, { body: { args: [], kwargs: { ...kwargs, hf_token: null } }, signal });
    } catch (error) {
      if (!(error instanceof RefusedRequest) || error.status !== 400 || writeToken !== undefined) throw error;
      throw new TrainerError(`${error.message}: give the address with its write_token, as trackio show prints it`);
    }
  };
  return {
    name: "trackio",
    start({ name, settings, id = crypto.randomUUID() }) {
      run = { project, run: name, run_id: id };
      // Keys that begin with _ are trackio's own.
      config = Object.fromEntries(Object.entries(settings).map(([key, value]) => [key.replace(/^_+/, ""), value]));
      return Promise.resolve(id);
    },
    async log(metrics, step, signal) {
      await send("bulk_log", { logs: [{ ...run, metrics, step, ...(config && { config }) }] }, signal);
      config = undefined;
    },
    async end(how, signal) {
      if (how === "finished") return;
      const alert = {
        ...run,
        title: `The training ${how === "failed" ? "failed" : "was interrupted"}`,
        level: how === "failed" ? "error" : "warn",
        timestamp: new Date().toISOString(),
      };
      await send("bulk_alert", { alerts: [alert] }, signal);
    },
  };
}
