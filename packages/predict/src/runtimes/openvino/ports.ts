import { foreignFunctions } from "@convkit/engine/internal";

import { PredictError } from "../../predict-error.ts";
import { elementTypes, type ElementType } from "../native/element-types.ts";
import type { Pointer } from "../native/tensors.ts";
import type { Port } from "../session.ts";
import { created, type Openvino } from "./c-api.ts";

/** An input or output of a compiled model. */
export type TypedPort = Port & {
  readonly element: ElementType;
  /** True if its shape is the same in every call. */
  readonly isFixed: boolean;
};

/** Describes an input (`c.input`) or an output (`c.output`) by its number. */
export function portAt(library: Openvino, get: Openvino["c"]["input"], compiled: Pointer, index: number): TypedPort {
  const { c } = library;
  const port = created(c, "describe the model", (out) => get(compiled, index, out));
  try {
    return describePort(library, port);
  } finally {
    c.portFree(port);
  }
}

function describePort({ c }: Openvino, port: Pointer): TypedPort {
  const name = created<string>(c, "name a port", (out) => c.portName(port, out));
  const number = Number(created(c, "tell a port's type", (out) => c.portType(port, out)));
  const element = elementTypes.find((each) => each.openvino === number);
  if (element === undefined)
    throw new PredictError(
      `"${name}" has values of OpenVINO's type ${number}; predictions take float32, int32, int64, uint8 and bool.`,
    );
  const shape = created<PartialShape>(c, "tell a port's shape", (out) => c.portShape(port, out));
  const hasRank = Number(shape.rank.min) === Number(shape.rank.max);
  const dims = hasRank ? Number(shape.rank.max) : 0;
  const bytes =
    dims === 0 ? new BigInt64Array() : new BigInt64Array(foreignFunctions().view(BigInt(shape.dims), dims * 16));
  const sizes = Array.from({ length: dims }, (_, axis) => {
    const [min, max] = [bytes[2 * axis]!, bytes[2 * axis + 1]!];
    return min === max ? Number(max) : null;
  });
  c.partialShapeFree(shape);
  return { name, shape: sizes, type: element.name, element, isFixed: hasRank && !sizes.includes(null) };
}

/** koffi's value of an `ov_partial_shape_t`. */
interface PartialShape {
  readonly rank: { readonly min: number | bigint; readonly max: number | bigint };
  readonly dims: Pointer;
}
