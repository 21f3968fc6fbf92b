import { choice, flag, text, whole } from "./option.ts";

/** The options that every command takes, before its name or after it. */
export const globalOptionTable = {
  engine: choice(["auto", "gpu", "native", "wasm", "webgpu"], "<name>", "which TensorFlow runs"),
  threads: whole(1, "<n>", "threads of the engine"),
  layers: text("<module>", "layer classes and functions of yours that model files name"),
  seed: whole(0, "<n>", "seed of everything that is drawn at random"),
  json: flag("one JSON document on standard output"),
  quiet: flag("no progress"),
  debug: flag("stack traces with errors"),
};

/** The global options with their defaults. */
export interface GlobalOptions {
  readonly engine: "auto" | "gpu" | "native" | "wasm" | "webgpu";
  readonly threads: number | undefined;
  readonly layers: string | undefined;
  readonly seed: number | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly debug: boolean;
}

/** The global options with their defaults, from the options given anywhere on the line. */
export function globalOptions(given: Record<string, unknown>): GlobalOptions {
  return {
    engine: (given["engine"] as GlobalOptions["engine"] | undefined) ?? "auto",
    threads: given["threads"] as number | undefined,
    layers: given["layers"] as string | undefined,
    seed: given["seed"] as number | undefined,
    json: given["json"] === true,
    quiet: given["quiet"] === true,
    debug: given["debug"] === true,
  };
}
