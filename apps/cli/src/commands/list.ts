import { list as zooList } from "@convkit/models";
import { recipes } from "@convkit/trainer/recipes";
import type { Context } from "../terminal/context.ts";
import { grouped, percent, short, table } from "../terminal/format.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** `convkit list`: the zoo or the recipes, without loading TensorFlow. */
export function list(context: Context, pattern: string | undefined, options: { readonly recipes?: boolean }): void {
  if (options.recipes === true) return listRecipes(context, pattern);
  const models = zooList(pattern);
  if (models.length === 0) throw new UsageError(`No model matches "${pattern}": see convkit list.`);
  const data = models.map(({ name, params, trainable, input, classes, macs, paper }) => ({
    name,
    params,
    trainable,
    input,
    classes,
    macs,
    paper,
  }));
  const rows = data.map((model) => [
    model.name,
    model.paper,
    model.input.join("x"),
    String(model.classes),
    grouped(model.params),
    short(model.macs),
  ]);
  const shortened = rows.map((row) => row.map((cell, column) => (column === 1 ? ellipsis(cell, 60) : cell)));
  context.out.result(data, table(["model", "paper", "input", "classes", "parameters", "MACs"], shortened, { left: 2 }));
}

function listRecipes(context: Context, pattern = "*"): void {
  const fits = new RegExp(
    `^${pattern
      .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
      .replaceAll("*", ".*")
      .replaceAll("?", ".")}$`,
  );
  const found = Object.values(recipes).filter(({ name }) => fits.test(name));
  if (found.length === 0) throw new UsageError(`No recipe matches "${pattern}": see convkit list --recipes.`);
  const rows = found.map((recipe) => [
    recipe.name,
    recipe.about,
    recipe.data,
    String(recipe.epochs),
    recipe.expects === undefined ? "" : percent(recipe.expects.accuracy),
    recipe.quick.expects === undefined ? "" : percent(recipe.quick.expects.accuracy),
  ]);
  context.out.result(
    found,
    table(["recipe", "about", "data", "epochs", "reaches", "--quick reaches"], rows, { left: 3 }),
  );
}

function ellipsis(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
