import { doctor as examine, formatDoctor } from "@convkit/engine";
import type { Context } from "../terminal/context.ts";

/** `convkit doctor`: what runs here, why the rest does not, and what to do about it. */
export async function doctor({ out }: Context): Promise<void> {
  const report = await examine();
  const { best, engines, precisions, threads, problems } = report;
  const tensorflow = engines.find(({ name }) => name === best)?.tensorflow ?? null;
  const usable = precisions.filter((each) => each.usable).map(({ name }) => name);
  out.result(
    { ...report, engine: best ?? null, tensorflow, precision: usable, threads, problems },
    formatDoctor(report),
  );
}
