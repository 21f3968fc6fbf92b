import { type Engine, type EngineName, useEngine } from "@convkit/engine";
import type { Context } from "../terminal/context.ts";

/** Loads the engine that the user requested; with `auto`, a note says why a better engine was not used. */
export function engineInUse({ options, out }: Context, engine: EngineName | "auto" = options.engine): Promise<Engine> {
  const { threads } = options;
  return useEngine(engine, { onNotice: (line) => out.note(line), ...(threads !== undefined && { threads }) });
}
