import { type Engine, useEngine } from "@convkit/engine";
import type { Context } from "./context.ts";

/** The engine that the user asked for, loaded; what `auto` passed over is noted. */
export function engineInUse({ options, out }: Context): Promise<Engine> {
  const { engine, threads } = options;
  return useEngine(engine, { onNotice: (line) => out.note(line), ...(threads !== undefined && { threads }) });
}
