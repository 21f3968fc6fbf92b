import type { Work } from "../cases/cases.ts";

/** The share of MNIST's test images to classify correctly, and the most epochs for it. */
const accuracyGoal = { target: 0.99, epochs: 20 } as const;

/** The request that makes a driver prepare the work. */
export function request(
  work: Work,
  { network, batch, folder, count }: { network: object; batch: number; folder?: string | undefined; count: number },
): object {
  if (work.do === "data") return { do: "data", source: work.data, folder, batch };
  if (work.do === "accuracy") return { do: "accuracy", network, batch, folder, ...accuracyGoal };
  if (work.do === "build") return { do: "build", network };
  if (work.do === "load") return { do: "load", network, count };
  if (work.do === "predict") return { do: "predict", network, batch };
  return { do: "train", network, batch, optimizer: work.optimizer };
}
