import { modelMetadata, receptiveFields, summarize } from "@convkit/core";
import { draw } from "@convkit/inspect";
import { type EpochLogs, parseHistory } from "@convkit/trainer";
import { loadModel, openWeights } from "@convkit/weights";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { fileWithPath } from "../file-with-path.ts";
import type { LayerRow, Looked, PathAndFile } from "./compute.ts";

/** Opens model files, or the files of a run's folder. Throws with the reader's reason for what is neither. */
export async function look(given: readonly PathAndFile[]): Promise<Looked> {
  const files = given.map(({ path, file }) => fileWithPath(file, path.includes("/") ? path : ""));
  const [first] = files;
  if (first === undefined) throw new Error("There is no file in what was opened.");
  const [folder] = first.webkitRelativePath.split("/");
  const title = folder === undefined || folder === "" ? first.name : folder;
  const history = await historyIn(files);
  const chosen = history === undefined ? files : files.filter(isOfRunsModel);
  if (chosen.length === 0) return { title, facts: [], history, notes: ["The run has no model yet."] };
  const source = chosen.length === 1 ? chosen[0]! : chosen;
  const notes: string[] = [];
  const model = await loadModel(source, { onNote: (note) => notes.push(note) }).catch((error: Error) => error);
  if (model instanceof Error) return weightsAlone(source, title, model);
  try {
    return { title, ...(await described(model)), history, notes };
  } finally {
    model.dispose();
  }
}

async function historyIn(files: readonly File[]): Promise<EpochLogs[] | undefined> {
  const file = files.find(({ name }) => name === "history.csv");
  return file && parseHistory(await file.text(), "history.csv");
}

/** Whether a file of a run's folder is one of its model. */
function isOfRunsModel({ webkitRelativePath }: File): boolean {
  return /\/model\/[^/]+$/u.test(webkitRelativePath);
}

/** The tensors of a file that holds no network; `failure` is why no network could be made of it. */
async function weightsAlone(source: File | readonly File[], title: string, failure: Error): Promise<Looked> {
  const file = await openWeights(source).catch(() => {
    throw failure;
  });
  try {
    const tensors = file.tensors.map(({ name, dtype, shape }) => ({ name, type: dtype, shape: shapeText(shape) }));
    const values = file.tensors.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    const facts: [string, string][] = [
      ["format", file.format],
      ["tensors", String(tensors.length)],
      ["numbers", values.toLocaleString("en")],
    ];
    return {
      title,
      facts,
      tensors,
      history: undefined,
      notes: [`This file gives no network: ${failure.message}`, ...file.notes],
    };
  } finally {
    file.close();
  }
}

async function described(model: LayersModel): Promise<Pick<Looked, "facts" | "drawing" | "layers">> {
  const { params, macs, memory, layers } = summarize(model);
  const fields = receptiveFields(model);
  const { classes } = modelMetadata(model);
  const shapes = (tensors: readonly { readonly shape: readonly (number | null)[] }[]): string =>
    tensors.map(({ shape }) => shapeText(shape)).join(", ");
  const facts: [string, string][] = [
    ["name", model.name],
    ["input", shapes(model.inputs)],
    ["output", shapes(model.outputs)],
    ["layers", String(layers.length)],
    ["parameters", `${params.total.toLocaleString("en")} (${params.trainable.toLocaleString("en")} trainable)`],
    ["multiply-adds", macs?.toLocaleString("en") ?? "depend on the size of the input"],
    ["weights in memory", `${(memory.weights / 1e6).toFixed(1)} MB`],
    ...(classes === undefined ? [] : [["classes", classes.join(", ")] as [string, string]]),
  ];
  const rows = layers.map(({ name, type, outputShape, params, macs }): LayerRow => {
    const field = fields.get(name);
    return {
      name,
      type,
      shape: shapeText(outputShape),
      params,
      macs,
      receptiveField: field === undefined ? "" : field.size.join(" x "),
    };
  });
  return { facts, drawing: await draw(model), layers: rows };
}

const shapeText = (shape: readonly (number | null)[]): string => `[${shape.map((size) => size ?? "any").join(", ")}]`;
