import { existsSync } from "node:fs";
import type { WeightRow } from "@convkit/weights";
import type { Context } from "../terminal/context.ts";
import { bytes as sized, grouped } from "../terminal/format.ts";
import { choice, flag, text, type ValuesOf } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { checkNoZooOptions, modelOptions } from "../inputs/model-options.ts";
import { preprocessingOption } from "../inputs/preprocessing-option.ts";
import { userPath } from "../inputs/user-path.ts";
import { besides, convertWithoutNetwork, copiesWeights } from "../outputs/copy-weights.ts";

export const options = {
  ...modelOptions,
  ...preprocessingOption,
  to: choice(
    ["tfjs", "tfjs-graph", "savedmodel", "safetensors", "pth", "npz", "h5"],
    "<format>",
    "format of a folder (tfjs-graph loads in any tfjs), or the container for weights without their network",
  ),
  quantize: choice(["float16", "uint8", "uint16"], "<type>", "fewer bits for the weights of a tfjs folder"),
  stock: flag("write a tfjs folder in layers of stock tfjs alone, for programs without convkit; for prediction"),
  keras2: flag("write an .h5 for Keras 2 alone, which holds operations between layers, too"),
  gradCam: flag("add an output grad_cam to an .onnx: where an image shows its most likely class"),
  layer: text("<name>", "the feature map of --grad-cam (default: the last one)"),
  verify: flag("read the result back and compare every weight, and the outputs for a probe input"),
};

const endings = [".keras", ".h5", ".hdf5", ".weights.h5", ".safetensors", ".onnx", ".pth", ".npz"] as const;

/** `convkit convert`: writes a model in another format, given by the file extension. */
export async function run(
  context: Context,
  given: ValuesOf<typeof options>,
  name: string,
  target: string | undefined,
): Promise<void> {
  const {
    to: wanted,
    quantize,
    stock = false,
    keras2 = false,
    verify = false,
    gradCam = false,
    layer,
    ...modelGiven
  } = given;
  const isFolder = wanted === "tfjs" || wanted === "tfjs-graph" || wanted === "savedmodel";
  const [to, container] = isFolder ? [wanted, undefined] : [undefined, wanted];
  const out = target ?? besides(name, container);
  const folder = out.endsWith("/");
  if (folder && to === undefined)
    throw new UsageError(`Say what to write into the folder ${out}: --to tfjs, --to tfjs-graph or --to savedmodel.`);
  if (!folder && !endings.some((ending) => out.toLowerCase().endsWith(ending)))
    throw new UsageError(
      `Cannot tell the format of ${out}: it must end in ${endings.join(", ")}, or in / with --to tfjs, --to tfjs-graph or --to savedmodel.`,
    );
  const path = userPath(out);
  if (existsSync(path)) throw new UsageError(`${out} is there already: remove it, or give another name.`);
  if (quantize !== undefined && to !== "tfjs" && to !== "tfjs-graph")
    throw new UsageError(`--quantize is for --to tfjs and --to tfjs-graph, not for ${out}.`);
  if (stock && to !== "tfjs") throw new UsageError(`--stock is for --to tfjs, not for ${out}.`);
  if (keras2 && !/(?<!\.weights)\.(h5|hdf5)$/i.test(out))
    throw new UsageError(`--keras2 is for a model's .h5, not for ${out}.`);
  if (gradCam && !/\.onnx$/i.test(out)) throw new UsageError(`--grad-cam is for a model's .onnx, not for ${out}.`);
  if (layer !== undefined && !gradCam) throw new UsageError("--layer is the feature map of --grad-cam: give both.");
  if (await copiesWeights(name, out, container, modelGiven.arch)) {
    const { state, ...others } = modelGiven;
    checkNoZooOptions(name, others);
    if (others.preprocessing !== undefined)
      throw new UsageError(`--preprocessing is for a model, and ${name} is copied without one: leave it out.`);
    return convertWithoutNetwork(context, { name, out, path, container, state, verify });
  }
  if (container === "npz" || container === "pth" || /\.(npz|pth)$/i.test(out))
    throw new UsageError(
      `${out} would hold weights alone, and ${name} is a network: write it as .safetensors, then convert that file.`,
    );
  const { readyToVerify, saveModel, verifySaved, WeightsError } = await import("@convkit/weights");
  const { engineInUse } = await import("../inputs/use-engine.ts");
  const { resolveModel } = await import("../inputs/model-source.ts");
  if (verify && /\.onnx$/i.test(out)) await readyToVerify({ path, format: "onnx" });
  if (verify && to === "tfjs-graph") await readyToVerify({ path, format: to });
  const engine = await engineInUse(context);
  if (to === "savedmodel" && engine.backend !== "tensorflow")
    throw new UsageError(
      `--to savedmodel needs TensorFlow, and the ${engine.name} engine has none: convkit engine install.`,
    );
  const {
    model,
    classes,
    preprocessing,
    images,
    name: modelName,
  } = await resolveModel(name, modelGiven, context.options.seed, (note) => context.out.note(note));
  const tensors = model.weights.length;
  const saved = await saveModel(model, path, {
    metadata: {
      name: modelName,
      ...(classes !== undefined && { classes }),
      preprocessing,
      ...(modelGiven.preprocessing !== undefined && { images }),
    },
    ...(to !== undefined && { format: to }),
    ...(container !== undefined && { format: container }),
    ...(quantize !== undefined && { quantize }),
    ...(stock && { stock }),
    ...(keras2 && { keras: 2 as const }),
    ...(gradCam && { gradCam: layer ?? true }),
  });
  const { bytes: size, needs } = saved;
  const report = { written: path, bytes: size, tensors, ...(needs !== undefined && { needs }) };
  const needed =
    needs === undefined ? "" : `; to load, it needs ${needs.join(", ")} (or write with --stock, or --to tfjs-graph)`;
  const line = `${out}: ${sized(size)}, from the network's ${grouped(tensors)} tensors of weights${needed}`;
  if (!verify) return context.out.result(report, line);
  const { worst, relative, holds, weights } = await verifySaved(model, saved);
  context.out.result(
    { ...report, worst, relative, weights },
    [
      weightTable(weights),
      `${line}; read back, outputs differ by at most ${worst} (logits by ${relative.toExponential(1)} of the largest)`,
    ].join("\n"),
  );
  if (!holds)
    throw new WeightsError(
      path,
      "",
      `its logits differ by ${relative.toExponential(1)} of the largest, more than 1e-3`,
    );
}

/** One line per weight: its name, its shape, and its difference from the weight in the written file. */
function weightTable(weights: readonly WeightRow[]): string {
  const width = Math.max(...weights.map(({ name }) => name.length));
  return weights
    .map(({ name, shape, worst }) => `${name.padEnd(width)}  ${shape.join("x").padEnd(16)}  ${worst ?? ""}`)
    .join("\n");
}
