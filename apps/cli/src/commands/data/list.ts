import type { Context } from "../../terminal/context.ts";
import { grouped, table } from "../../terminal/format.ts";

/** `convkit data list`: lists the named data sets, with the folder of each that is on this machine. */
export async function run({ out }: Context): Promise<void> {
  const { dataSets, packagesSeenFrom } = await import("@convkit/datasets");
  const resolve = packagesSeenFrom(import.meta.url);
  const folderOf = (set: (typeof dataSets)[keyof typeof dataSets]): string | undefined => {
    try {
      return set.find({ resolve });
    } catch {
      return undefined;
    }
  };
  const rows = Object.entries(dataSets).map(([name, set]) => ({
    name,
    title: set.title,
    shape: set.shape,
    train: set.train,
    test: set.test,
    classes: set.classes.length,
    licence: set.license,
    path: folderOf(set) ?? null,
  }));
  const cells = rows.map((row) => [
    row.name,
    row.title,
    row.shape.join("x"),
    grouped(row.train),
    grouped(row.test),
    String(row.classes),
    row.path === null ? "no" : "yes",
  ]);
  out.result(rows, table(["data", "what", "image", "train", "test", "classes", "here"], cells, { left: 2 }));
}
