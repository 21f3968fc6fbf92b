import type { Recipe } from "@convkit/trainer/recipes";
import type { Context } from "../terminal/context.ts";
import { grouped, short, table } from "../terminal/format.ts";
import { flag, type ValuesOf } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { promiseText } from "../training/promise.ts";

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
  const shown = table(["model", "source", "paper", "input", "classes", "parameters", "MACs"], rows, { left: 3 });
  const others = siblings(list(), pattern, models);
  out.result(data, others === "" ? shown : `${shown}\n\nOf other sources: ${others}.`);
}

/** Networks that other sources define under the name that was asked for: `googlenet-tv` for `googlenet`. */
function siblings(
  all: readonly { readonly name: string; readonly source: string }[],
  pattern: string | undefined,
  found: readonly { readonly name: string }[],
): string {
  const plain = (name: string): string => name.replace(/-(keras|tv|timm|paper)$/, "");
  return all
    .filter(({ name }) => pattern !== undefined && plain(name) === plain(pattern))
    .filter(({ name }) => !found.some((each) => each.name === name))
    .map(({ name, source }) => `${name} (${source})`)
    .join(", ");
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
    promiseText(recipe.expects),
    promiseText(recipe.quick.expects),
  ]);
  out.result(found, table(["recipe", "about", "data", "epochs", "reaches", "--quick reaches"], rows, { left: 3 }));
}

function shortened(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}
