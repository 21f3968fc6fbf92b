import { uniformStream } from "@convkit/augment/internal";
import { shuffle } from "../random/permutation.ts";

/**
 * An order for records that are read as streams: shards in random order, and records drawn from a window over them, as
 * WebDataset's and TensorFlow's shuffle buffers do. Returns positions in `chosen`, which has the records' numbers.
 */
export function windowOrder(
  shardOf: (record: number) => number,
  chosen: Int32Array,
  { window, seed, epoch }: { window: number; seed: number; epoch: number },
): Int32Array {
  const uniform = uniformStream(seed, epoch);
  const inShard = new Map<number, number[]>();
  for (const [position, record] of chosen.entries()) {
    const shard = shardOf(record);
    const positions = inShard.get(shard);
    if (positions === undefined) inShard.set(shard, [position]);
    else positions.push(position);
  }
  const shards = Int32Array.from([...inShard.keys()].toSorted((a, b) => a - b));
  shuffle(shards, uniform);
  const order = new Int32Array(chosen.length);
  const waiting: number[] = [];
  let filled = 0;
  const draw = () => {
    const place = Math.floor(uniform() * waiting.length);
    order[filled++] = waiting[place]!;
    waiting[place] = waiting.at(-1)!;
    waiting.pop();
  };
  for (const shard of shards)
    for (const position of inShard.get(shard)!.toSorted((a, b) => chosen[a]! - chosen[b]!)) {
      waiting.push(position);
      if (waiting.length >= window) draw();
    }
  while (waiting.length > 0) draw();
  return order;
}
