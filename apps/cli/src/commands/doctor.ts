import type { Context } from "../terminal/context.ts";

/** `convkit doctor`: lists the engines that run here, why the others do not, and the remedies. */
export async function run({ out }: Context): Promise<void> {
  const { doctor, formatDoctor } = await import("@convkit/engine");
  const report = await doctor();
  const { best, engines, precisions, threads, problems } = report;
  const tensorflow = engines.find(({ name }) => name === best)?.tensorflow ?? null;
  const usable = precisions.filter((each) => each.usable).map(({ name }) => name);
  out.result(
    { ...report, engine: best ?? null, tensorflow, precision: usable, threads, problems },
    formatDoctor(report),
  );
}
