import type { Context } from "../../terminal/context.ts";
import { text, type ValuesOf } from "../../terminal/option.ts";
import type { CountingBar } from "../../terminal/progress.ts";

export const options = { from: text("<url>", "a mirror of the published files") };

/** `convkit data fetch`: downloads a data set into the cache. */
export async function run({ out, signal }: Context, { from }: ValuesOf<typeof options>, name: string): Promise<void> {
  const { fetchData, packagesSeenFrom } = await import("@convkit/datasets");
  const { checkDataName } = await import("../../inputs/load-data.ts");
  const { countingBar } = await import("../../terminal/progress.ts");
  checkDataName(name);
  let bar: CountingBar | undefined;
  const path = await fetchData(name, {
    resolve: packagesSeenFrom(import.meta.url),
    signal,
    from,
    onProgress: (progress) => {
      if (progress.total === undefined) return;
      bar ??= countingBar(out, progress.total, "bytes");
      bar.update(progress.bytes);
    },
  }).finally(() => bar?.stop());
  out.result({ name, path }, `${name} is in ${path}`);
}
