import type * as tfl from "@tensorflow/tfjs-layers";

/** The weight's own name: `kernel` of `conv1/kernel`. */
export function weightName(variable: tfl.LayerVariable): string {
  return variable.originalName.slice(variable.originalName.lastIndexOf("/") + 1);
}
