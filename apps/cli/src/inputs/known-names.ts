// Names that a user may complete on the command line; each imports its package when it is called.

/** The networks of the zoo. */
export async function networkNames(): Promise<string[]> {
  const { list } = await import("@convkit/models");
  return list().map(({ name }) => name);
}

/** The recipes of `convkit train`. */
export async function recipeNames(): Promise<string[]> {
  const { recipes } = await import("@convkit/trainer/recipes");
  return Object.keys(recipes);
}

/** The data sets that `loadData` knows. */
export async function dataNames(): Promise<string[]> {
  const { dataSets } = await import("@convkit/datasets");
  return Object.keys(dataSets);
}
