import type { Context } from "../../terminal/context.ts";
import { grouped, table } from "../../terminal/format.ts";
import { size, text, type ValuesOf } from "../../terminal/option.ts";
import { UsageError } from "../../terminal/usage-error.ts";
import type { Cost } from "./cost.ts";

export const options = {
  input: size("size of the map (default: 28x28x192, that of GoogLeNet's module 3a)"),
  filters: text("<six>", "1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool projection (default: 64,96,128,16,32,32)"),
  out: text("<file>", "draws the module into this .svg, .png or .html"),
};

/** `convkit explain inception`: the naive module, GoogLeNet's and the factorized one, branch by branch. */
export async function run(context: Context, given: ValuesOf<typeof options>): Promise<void> {
  const { factorizedInception, inception, naiveInception } = await import("@convkit/blocks");
  const { costNumbers, costOf, costTable, drawBlock } = await import("./cost.ts");
  const { engineInUse } = await import("../../inputs/use-engine.ts");
  const { input = [28, 28, 192], out: file } = given;
  const filters = sixOf(given.filters ?? "64,96,128,16,32,32");
  if (file !== undefined) (await import("../../outputs/picture.ts")).pictureFormat(file);
  await engineInUse(context);
  const costs = [
    costOf("naive", input, naiveInception([filters[0], filters[2], filters[4]])),
    costOf("v1, with 1x1 convolutions", input, inception(filters)),
    costOf("factorized: 1 x n and n x 1", input, factorizedInception(filters)),
  ];
  const modules = costs.map((cost) => ({ name: cost.name, branches: branchesOf(cost) }));
  const lines = [
    costTable(costs),
    ...modules.flatMap(({ name, branches }) => [
      "",
      `${name}:`,
      table(
        ["branch", "channels", "parameters", "multiply-adds"],
        branches.map((branch) => [branch.title, String(branch.channels), grouped(branch.params), grouped(branch.macs)]),
      ),
    ]),
    "",
    `All branches keep ${input[0]}x${input[1]}, so that their channels can be put side by side. Without 1x1 convolutions the pool's ${input[2]} channels all come along, and each module is wider than the one before.`,
  ];
  const title = `inception module on ${input.join("x")}`;
  await drawBlock(file, input, inception(filters), { title, text: lines.join("\n") });
  context.out.result({ input, filters, costs: costNumbers(costs), modules }, lines.join("\n"));
}

interface Branch {
  readonly title: string;
  readonly channels: number;
  readonly params: number;
  readonly macs: number;
}

/** The module's layers by the branch in their names: `inception.b2.reduce` belongs to `b2`. */
function branchesOf({ layers }: Cost): Branch[] {
  const titles = ["1x1", "3x3", "5x5", "pool"];
  return titles.map((title, i) => {
    const own = layers.filter(({ name }) => name.split(".").includes(`b${i + 1}`));
    return {
      title,
      channels: own.at(-1)?.outputShape.at(-1) ?? 0,
      params: own.reduce((sum, { params }) => sum + params, 0),
      macs: own.reduce((sum, { macs }) => sum + (macs ?? 0), 0),
    };
  });
}

type Six = [number, number, number, number, number, number];

function sixOf(text: string): Six {
  const numbers = text.split(",").map(Number);
  if (numbers.length !== 6 || numbers.some((each) => !Number.isInteger(each) || each < 1))
    throw new UsageError(`--filters must be six whole numbers from 1 on, such as 64,96,128,16,32,32, not "${text}".`);
  return numbers as Six;
}
