import type { Context } from "../../terminal/context.ts";
import { text, type ValuesOf } from "../../terminal/option.ts";
import { userPath } from "../../inputs/user-path.ts";

export const options = { from: text("<folder>", "the folder that holds it") };

/** `convkit data verify`: compares every byte of a data set with the published checksums. */
export async function run({ out }: Context, { from }: ValuesOf<typeof options>, name: string): Promise<void> {
  const { packagesSeenFrom, verifyData } = await import("@convkit/datasets");
  const { checkDataName } = await import("../../inputs/load-data.ts");
  checkDataName(name);
  const path = await verifyData(name, {
    resolve: packagesSeenFrom(import.meta.url),
    from: from === undefined ? undefined : userPath(from),
  });
  out.result({ name, path, whole: true }, `${name} is whole: ${path}`);
}
