import { uniformStream } from "@convkit/augment/internal";
import { shuffle } from "./permutation.ts";

/**
 * The order of an epoch in which each class comes equally often: as many places as there are images, shared among the
 * classes that have images. A small class repeats: all of its images come before one comes again. Of a large class some
 * images are drawn. If the places cannot be shared equally, other classes get one more in each epoch.
 */
export function balancedOrder(labels: Int32Array, seed: number, epoch: number): Int32Array {
  const uniform = uniformStream(seed, epoch);
  const byClass = new Map<number, number[]>();
  for (const [image, label] of labels.entries()) {
    const members = byClass.get(label);
    if (members === undefined) byClass.set(label, [image]);
    else members.push(image);
  }
  const classes = [...byClass].toSorted(([a], [b]) => a - b);
  const [share, rest] = [Math.floor(labels.length / classes.length), labels.length % classes.length];
  const order = new Int32Array(labels.length);
  let filled = 0;
  for (const [rank, [, members]] of classes.entries()) {
    const images = Int32Array.from(members);
    const turn = (rank + epoch * rest) % classes.length;
    for (let places = share + (turn < rest ? 1 : 0); places > 0;) {
      shuffle(images, uniform);
      const taken = images.subarray(0, places);
      order.set(taken, filled);
      filled += taken.length;
      places -= taken.length;
    }
  }
  shuffle(order, uniform);
  return order;
}
