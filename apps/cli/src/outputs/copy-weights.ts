import type { Context } from "../terminal/context.ts";
import { bytes as sized, grouped } from "../terminal/format.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { weightsPath } from "../inputs/weights-path.ts";

/** A container of weights, by the ending of its files. */
type Container = "safetensors" | "pth" | "npz" | "h5";

/** The file beside the source, with the ending of its container. */
export function besides(name: string, container: Container | undefined): string {
  if (container === undefined)
    throw new UsageError(
      `Say where to write: convkit convert ${name} <out>, or --to safetensors|pth|npz|h5 for weights.`,
    );
  return `${name.replace(/(\.pth\.tar|\.weights\.h5|\.[^./]+)$/i, "")}.${container}`;
}

/** Whether to copy weights from container to container, since the source or the target holds no network. */
export async function copiesWeights(
  name: string,
  out: string,
  container: Container | undefined,
  arch: string | undefined,
): Promise<boolean> {
  const { isModelName } = await import("@convkit/models");
  const { containerOf, openWeights } = await import("@convkit/weights");
  const kind = container ?? containerOf(out);
  if (kind === undefined || arch !== undefined || isModelName(name)) return false;
  const source = weightsPath(name);
  if (source === undefined) return false;
  if (["npz", "pth", "torch"].includes(kind)) return true;
  const file = await openWeights(source);
  file.close();
  // The reader of ONNX makes a network of what the file holds.
  return file.config === undefined && file.format !== "onnx";
}

/** Writes the weights of a file to another container, each with its name, type and bytes. */
export async function convertWithoutNetwork(
  context: Context,
  {
    name,
    out,
    path,
    container,
    state,
    verify,
  }: {
    readonly name: string;
    readonly out: string;
    readonly path: string;
    readonly container: Container | undefined;
    readonly state: string | undefined;
    readonly verify: boolean;
  },
): Promise<void> {
  const { convertWeights, listWeights, WeightsError } = await import("@convkit/weights");
  const formats = { safetensors: "safetensors", pth: "torch", npz: "npz", h5: "hdf5" } as const;
  const format = container === undefined ? undefined : formats[container];
  const source = weightsPath(name)!;
  const { bytes: size, tensors, notes } = await convertWeights(source, path, { format, state });
  for (const note of notes) context.out.note(`${name} ${note}`);
  const report = { written: path, bytes: size, tensors };
  const line = `${out}: ${sized(size)}, ${grouped(tensors)} tensors`;
  if (!verify) return context.out.result(report, line);
  const before = new Map((await listWeights(source, { state })).weights.map((weight) => [weight.name, weight]));
  const { weights } = await listWeights(path);
  const wrong = weights.find(({ name: own, crc32, dtype }) => {
    const original = before.get(own);
    return original?.crc32 !== crc32 || original.dtype !== dtype;
  });
  if (wrong !== undefined || weights.length !== before.size)
    throw new WeightsError(path, "", `differs from ${name}${wrong === undefined ? "" : ` at "${wrong.name}"`}`);
  context.out.result({ ...report, weights }, `${line}; read back, every tensor is equal bit for bit`);
}
