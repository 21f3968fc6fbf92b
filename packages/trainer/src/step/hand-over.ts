import type { Executable } from "@convkit/graph";

/** Gives an executable the random state and the loss scale of another. */
export async function handOver(from: Executable, to: Executable): Promise<void> {
  to.runs = from.runs;
  if (from.kept.length === 0) return;
  await from.sync();
  for (const [index, variable] of to.kept.entries()) variable.assign(from.kept[index]!);
}

/** Replaces an executable by another, which takes over its random state and loss scale. */
export async function replaced(old: Executable, made: Executable): Promise<Executable> {
  await handOver(old, made);
  await old.dispose();
  return made;
}
