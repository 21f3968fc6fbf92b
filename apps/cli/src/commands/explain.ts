import { outputSize, type Padding, receptiveFields, summarize } from "@convkit/core";
import { writeFileAtomic } from "@convkit/trainer";
import type { Context } from "../terminal/context.ts";
import { effectiveField, fieldPicture } from "../inference/effective-receptive-field.ts";
import { engineInUse } from "../inputs/use-engine.ts";
import { grouped, percent, short, table } from "../terminal/format.ts";
import { type ModelOptions, resolveModel } from "../inputs/model-source.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { userPath } from "../inputs/user-path.ts";

interface WindowOptions {
  readonly input: readonly [number, number, number];
  readonly kernel: number;
  readonly stride?: number;
  readonly padding?: string;
  readonly dilation?: number;
  readonly filters?: number;
  readonly bias?: boolean;
}

/** `convkit explain conv`: what a convolution makes of an image size, and what it costs. */
export function explainConv({ out }: Context, options: WindowOptions): void {
  const { input, kernel, stride = 1, dilation = 1, filters = input[2], bias = true } = options;
  const [height, width, channels] = input;
  const { size, whole, warning } = outputSize([height, width], {
    kernel,
    stride,
    dilation,
    padding: paddingOf(options.padding),
  });
  const params = kernel * kernel * channels * filters + (bias ? filters : 0);
  const macs = size[0] * size[1] * kernel * kernel * channels * filters;
  const output = [...size, filters];
  const lines = [
    `${input.join("x")} -> ${output.join("x")}: ${filters} filters of ${kernel}x${kernel}x${channels}, stride ${stride}, padding ${options.padding ?? "valid"}`,
    `parameters: ${kernel} * ${kernel} * ${channels} * ${filters}${bias ? ` + ${filters}` : ""} = ${grouped(params)}`,
    `multiply-adds: ${size[0]} * ${size[1]} * ${kernel} * ${kernel} * ${channels} * ${filters} = ${grouped(macs)}`,
    ...(warning === undefined ? [] : [warning]),
  ];
  out.result({ input, output, params, macs, whole, warning: warning ?? null }, lines.join("\n"));
}

/** `convkit explain pool`: what a pool makes of an image size. */
export function explainPool({ out }: Context, options: WindowOptions): void {
  const { input, kernel, stride = kernel } = options;
  const { size, whole, warning } = outputSize([input[0], input[1]], {
    kernel,
    stride,
    padding: paddingOf(options.padding),
  });
  const output = [...size, input[2]];
  const lines = [
    `${input.join("x")} -> ${output.join("x")}: windows of ${kernel}x${kernel}, stride ${stride}, padding ${options.padding ?? "valid"}, no parameters`,
  ];
  out.result(
    { input, output, params: 0, whole, warning: warning ?? null },
    [...lines, ...(warning === undefined ? [] : [warning])].join("\n"),
  );
}

/** `convkit explain receptive-field`: what each layer sees, and what counts of it. */
export async function explainReceptiveField(
  context: Context,
  name: string,
  options: ModelOptions & { readonly out?: string; readonly layer?: string },
): Promise<void> {
  await engineInUse(context);
  const { model } = await resolveModel(name, options, context.options.seed);
  const fields = [...receptiveFields(model)].map(([layer, { size, stride }]) => ({ layer, size, stride }));
  const field = await effectiveField(model, options.layer);
  if (options.out !== undefined) await writeFileAtomic(userPath(options.out), await fieldPicture(field, options.out));
  const { weights: _weights, ...effective } = field;
  const rows = fields.map(({ layer, size, stride }) => [layer, size.join("x"), stride.join("x")]);
  const told = `The centre of ${field.layer} sees ${field.theoretical.join("x")} pixels; 95 % of what counts lies within ${field.effective.join("x")} (gradient of the centre, ${field.samples} random images)${options.out === undefined ? "" : `, drawn in ${options.out}`}.`;
  context.out.result(
    { layers: fields, effective },
    `${table(["layer", "receptive field", "stride"], rows)}\n\n${told}`,
  );
}

/** `convkit explain params`: where a network's parameters and multiply-adds are. */
export async function explainParams(context: Context, name: string, options: ModelOptions): Promise<void> {
  await engineInUse(context);
  const { model } = await resolveModel(name, options, context.options.seed);
  const { params, macs, layers } = summarize(model);
  const rows = layers
    .filter((layer) => layer.params > 0)
    .toSorted((a, b) => b.params - a.params)
    .map((layer) => ({
      name: layer.name,
      type: layer.type,
      params: layer.params,
      share: layer.params / params.total,
      macs: layer.macs,
      macsShare: macs === 0 ? 0 : layer.macs / macs,
    }));
  const lines = rows.map((row) => [
    row.name,
    row.type,
    grouped(row.params),
    percent(row.share),
    "█".repeat(Math.round(row.share * 30)).padEnd(30),
    short(row.macs),
    percent(row.macsShare),
  ]);
  context.out.result(
    { name: model.name, total: params.total, macs, layers: rows },
    table(["layer", "type", "parameters", "share", "", "MACs", "share"], lines, { left: 2 }),
  );
}

function paddingOf(text = "valid"): Padding {
  if (text === "same" || text === "valid") return text;
  const sides = text.split("x").map(Number);
  if (sides.some((side) => !Number.isInteger(side) || side < 0) || sides.length > 2)
    throw new UsageError(`--padding must be same, valid, a number, or as 1x2, not "${text}".`);
  return sides.length === 1 ? sides[0]! : [sides[0]!, sides[1]!];
}
