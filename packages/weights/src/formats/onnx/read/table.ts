import { activations } from "./ops/activations.ts";
import { arithmetics } from "./ops/arithmetic.ts";
import { branches } from "./ops/branches.ts";
import { convolutions } from "./ops/convolutions.ts";
import { products } from "./ops/dense.ts";
import { indexed } from "./ops/indexing.ts";
import { norms } from "./ops/norms.ts";
import { parts } from "./ops/parts.ts";
import { pools } from "./ops/pools.ts";
import { quantizedReads } from "./ops/quantized.ts";
import type { Read } from "./ops/read.ts";
import { recurrences } from "./ops/recurrent.ts";
import { reductionReads } from "./ops/reductions.ts";
import { resizes } from "./ops/resize.ts";
import { shapes } from "./ops/shapes.ts";

/** The operators of ONNX that are read, by kind. */
const onnxOperators: Readonly<Record<string, Readonly<Record<string, Read>>>> = {
  convolutions,
  "dense layers and products": products,
  pools,
  normalizations: norms,
  activations,
  arithmetic: arithmetics,
  reductions: reductionReads,
  shapes,
  "parts of tensors": parts,
  places: indexed,
  resizing: resizes,
  quantization: quantizedReads,
  recurrence: recurrences,
  branches,
};

/** The operators of ONNX' own domain and, for quantized files, those of ONNX Runtime. */
export const onnxReads: ReadonlyMap<string, Read> = new Map(
  Object.values(onnxOperators).flatMap((reads) => Object.entries(reads)),
);

/** Domains whose operators are read: ONNX' own, and ONNX Runtime's. */
export const knownDomains: ReadonlySet<string> = new Set(["", "com.microsoft"]);
