import { checkOptions, checkValues, oneOf } from "@convkit/errors";
import type { ByteSink } from "@convkit/files";
import type { NamedTensor } from "../bytes/named-tensor.ts";
import { disk } from "@convkit/weights/platform";
import type { GroupToWrite } from "../formats/hdf5/writer.ts";
import { writeHdf5 } from "../formats/hdf5/writer.ts";
import { writeNpz } from "../formats/npz.ts";
import { writeSafetensors } from "../formats/safetensors.ts";
import { writeTorchState } from "../formats/torch/write-state.ts";
import { WeightsError } from "../weights-error.ts";
import { containerOf } from "./container.ts";
import type { WeightsContainer } from "./container.ts";

export interface WriteWeightsOptions {
  /** The container; by default the one that the path's ending names. */
  readonly format?: WeightsContainer | undefined;
  /** Texts for the header of a safetensors file; none by default. */
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

export interface WriteWeightsReport {
  readonly path: string;
  readonly format: WeightsContainer;
  readonly bytes: number;
  readonly tensors: number;
}

/**
 * Writes tensors without a network, each with its name, type and bytes: `.safetensors`, `.pth`, `.npz`, `.h5`. In HDF5
 * a name is a path, whose parts between slashes are groups. Writes the whole file or nothing. Throws `WeightsError` for
 * a name twice and for a type or name that the container cannot hold.
 */
export async function writeWeights(
  path: string,
  tensors: readonly NamedTensor[],
  options: WriteWeightsOptions = {},
): Promise<WriteWeightsReport> {
  checkOptions("writeWeights", options, { format: true, metadata: true });
  checkValues("writeWeights", options, { format: oneOf(Object.keys(writers)) });
  const { format = containerOf(path), metadata } = options;
  if (format === undefined)
    throw new WeightsError(path, "", "expected a path that ends in .safetensors, .pth, .npz or .h5, or a format");
  if (tensors.length === 0) throw new WeightsError(path, "", "there is nothing to write: expected tensors");
  const names = new Set<string>();
  for (const { name } of tensors) {
    if (names.has(name)) throw new WeightsError(path, "", `two tensors have the name "${name}"`);
    names.add(name);
  }
  const bytes = await disk.file(path, (sink) => writers[format](sink, tensors, metadata));
  return { path, format, bytes, tensors: tensors.length };
}

type Writer = (sink: ByteSink, tensors: readonly NamedTensor[], metadata?: Readonly<Record<string, string>>) => void;

const writers: Readonly<Record<WeightsContainer, Writer>> = {
  safetensors: writeSafetensors,
  torch: writeTorchState,
  npz: writeNpz,
  hdf5: (sink, tensors) => writeHdf5(sink, groupsOf(tensors)),
};

/** Groups for the names' parts between slashes. */
function groupsOf(tensors: readonly NamedTensor[]): GroupToWrite {
  const newGroup = () => ({ attributes: {}, children: new Map<string, GroupToWrite | NamedTensor>() });
  const root = newGroup();
  for (const tensor of tensors) {
    const parts = tensor.name.split("/");
    const refuse = (problem: string): never => {
      throw new WeightsError(tensor.name, "", `${problem}: write .safetensors or .pth`);
    };
    if (parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0")))
      refuse("is no path in an HDF5 file");
    let children = root.children;
    for (const part of parts.slice(0, -1)) {
      const inner = children.get(part) ?? newGroup();
      if (!("children" in inner)) return refuse(`lies in "${part}", which is a tensor`);
      children.set(part, inner);
      children = inner.children as typeof children;
    }
    const last = parts.at(-1)!;
    if (children.has(last)) refuse("is a group of others, too");
    children.set(last, tensor);
  }
  return root;
}
