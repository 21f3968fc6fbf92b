import { colors } from "./colors.ts";
import { elementwise } from "./elementwise.ts";
import { indexing } from "./indexing.ts";
import { images } from "./images.ts";
import { interpolations } from "./interpolation.ts";
import { linear } from "./linear.ts";
import type { Operations } from "./operation.ts";
import { order } from "./order.ts";
import { quantization } from "./quantization.ts";
import { reductions } from "./reductions.ts";
import { sequences } from "./sequences.ts";
import { selection } from "./selection.ts";
import { shapes } from "./shapes.ts";
import { windows } from "./windows.ts";

/** Every operation that files may name, by Keras 3's name in lower case without underscores. */
export const operationTable: Operations = {
  ...colors,
  ...elementwise,
  ...images,
  ...indexing,
  ...interpolations,
  ...linear,
  ...order,
  ...quantization,
  ...reductions,
  ...selection,
  ...sequences,
  ...shapes,
  ...windows,
};
