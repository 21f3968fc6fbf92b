import type { Recipe } from "@convkit/trainer/recipes";
import type { Context } from "../terminal/context.ts";
import { grouped, percent, short, table } from "../terminal/format.ts";
import { flag, type ValuesOf } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const options = { recipes: flag("the trainings that run by name, instead of the zoo") };

/** `convkit list`: the zoo or the recipes; no engine is loaded. */
export async function run(
  context: Context,
  given: ValuesOf<typeof options>,
  pattern: string | undefined,
): Promise<void> {
  await (given.recipes === true ? listRecipes(context, pattern) : listModels(context, pattern));
}

async function listModels({ out }: Context, pattern: string | undefined): Promise<void> {
  const { list } = await import("@convkit/models");
  const models = list(pattern);
  if (models.length === 0) throw new UsageError(`No model matches "${pattern}": see convkit list.`);
  // `source` names whose definition it is, `weights.source` the page of its trained weights.
  const data = models.map((model) => ({ ...model, license: model.weights?.license ?? null }));
  const rows = data.map((model) => [
    model.name,
    model.source,
    shortened(model.paper, 60),
    model.input.join("x"),
    String(model.classes),
    grouped(model.params),
    short(model.macs),
  ]);
  out.result(data, table(["model", "source", "paper", "input", "classes", "parameters", "MACs"], rows, { left: 3 }));
}

async function listRecipes({ out }: Context, pattern = "*"): Promise<void> {
  const recipes: Readonly<Record<string, Recipe>> = (await import("@convkit/trainer/recipes")).recipes;
  const literal = pattern.replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  const matches = new RegExp(`^${literal.replaceAll("*", ".*").replaceAll("?", ".")}$`);
  const found = Object.values(recipes).filter(({ name }) => matches.test(name));
  if (found.length === 0) throw new UsageError(`No recipe matches "${pattern}": see convkit list --recipes.`);
  const rows = found.map((recipe) => [
    recipe.name,
    recipe.about,
    recipe.data,
    String(recipe.epochs),
    recipe.expects === undefined ? "" : percent(recipe.expects.accuracy),
    recipe.quick.expects === undefined ? "" : percent(recipe.quick.expects.accuracy),
  ]);
  out.result(found, table(["recipe", "about", "data", "epochs", "reaches", "--quick reaches"], rows, { left: 3 }));
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
