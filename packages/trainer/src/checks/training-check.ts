/** What a network makes of one batch before a long training. */
export interface TrainingCheck {
  /** The pixels of the batch as the network gets them. */
  readonly input: {
    readonly shape: readonly [images: number, height: number, width: number, channels: number];
    readonly least: number;
    readonly most: number;
    readonly mean: number;
    readonly deviation: number;
  };
  /** Images of each class in the batch, in the order of the data's classes; with each label, or with a pixel of each class; none for numbers. */
  readonly classes: readonly { readonly name: string; readonly images: number }[];
  /**
   * The batch's loss with the weights as they are. `expected` is the same loss of equal chances (cross-entropy: ln(classes), or ln(2) a
   * label); for numbers that of predicting their means (mse: the variance). It is missing for triplet losses. `least` is the loss of
   * outputs that are the targets themselves: 0, but more with label smoothing, and -1 for the cosine.
   */
  readonly start: { readonly loss: number; readonly expected?: number | undefined; readonly least: number };
  /** Loss and accuracy on the batch after it was learned alone. */
  readonly learned: {
    readonly steps: number;
    readonly loss: number;
    /** The share of right classes of images or pixels; missing for labels, numbers and several outputs. */
    readonly accuracy?: number | undefined;
  };
  /** Names of trainable weights that did not change: no gradient reaches them. */
  readonly still: readonly string[];
  /** A sentence for each thing that looks wrong; none if nothing does. */
  readonly findings: readonly string[];
}
