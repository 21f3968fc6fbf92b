/** Values with their shape, in row-major order. */
export interface Tensor {
  readonly data: Float32Array | Uint8Array;
  readonly shape: readonly number[];
}

/** A tensor and the name of the model's input that it is for. */
export interface NamedTensor extends Tensor {
  readonly name: string;
}

/** Image files, one a row, for the model's input `name`. The server decodes them. */
export interface NamedImages {
  readonly name: string;
  readonly images: readonly Uint8Array[];
}

/** What a request gives for one input of the model. */
export type NamedInput = NamedTensor | NamedImages;

/** The most axes of a tensor. */
export const largestRank = 8;

/** The most image files of one request: each becomes a tensor of the model's size, however small its file is. */
export const mostImages = 64;
