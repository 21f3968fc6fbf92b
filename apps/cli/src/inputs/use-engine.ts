import { type Engine, type EngineName, useEngine } from "@convkit/engine";
import type { Context } from "../terminal/context.ts";

/** The engine that the user asked for, or another, loaded; what `auto` passed over is noted. */
export function engineInUse({ options, out }: Context, engine: EngineName | "auto" = options.engine): Promise<Engine> {
  const { threads } = options;
  return useEngine(engine, { onNotice: (line) => out.note(line), ...(threads !== undefined && { threads }) });
}
