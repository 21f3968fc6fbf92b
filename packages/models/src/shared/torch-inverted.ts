import type { InvertedPart, SqueezePart } from "@convkit/blocks";

/**
 * torchvision's names of the parts of an inverted residual: it numbers a block's layers, so the numbers depend on whether it
 * expands and has squeeze-and-excitation.
 */
export function torchInverted({ expands, excites }: { readonly expands: boolean; readonly excites: boolean }) {
  const first = expands ? 1 : 0;
  const [depthwise, excite, project] = [first, first + 1, first + (excites ? 2 : 1)].map((i) => `block.b${i}`);
  const parts: Readonly<Record<InvertedPart, string>> = {
    expand: "block.b0.b0",
    expandNorm: "block.b0.b1",
    expandRelu: "block.b0.b2",
    pad: "block.pad",
    depthwise: `${depthwise}.b0`,
    depthwiseNorm: `${depthwise}.b1`,
    depthwiseRelu: `${depthwise}.b2`,
    excite: `${excite}`,
    project: `${project}.b0`,
    projectNorm: `${project}.b1`,
    drop: "stochastic_depth",
    add: "add",
  };
  return (path: string, part: InvertedPart): string => `${path}.${parts[part]}`;
}

const squeezed: Readonly<Record<SqueezePart, string>> = {
  squeeze: "avgpool",
  reshape: "reshape",
  reduce: "fc1",
  expand: "fc2",
  excite: "scale",
};

/** torchvision's names of the parts of squeeze-and-excitation. */
export function torchSqueeze(path: string, part: SqueezePart): string {
  return `${path}.${squeezed[part]}`;
}
