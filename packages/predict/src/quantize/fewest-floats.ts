import type { IntLayer } from "./layers.ts";

/** A network with some layers in int8, and how far its accuracy falls. */
export interface Judged {
  readonly layers: readonly IntLayer[];
  readonly drop: number;
}

/**
 * The network with as few layers in float as keep the accuracy within `maxDrop`: those that move the outputs most, which come first in
 * `ordered`. The number of layers is doubled until that is so, then halved back. If no number does, the best network that was found.
 */
export async function fewestFloats<Each extends Judged>(
  ordered: readonly IntLayer[],
  maxDrop: number,
  judge: (layers: readonly IntLayer[]) => Promise<Each>,
  start: Each,
): Promise<Each> {
  let best = start;
  let [tooFew, enough] = [0, ordered.length];
  const tried = async (floats: number): Promise<boolean> => {
    const found = await judge(ordered.slice(floats));
    const isEnough = found.drop <= maxDrop;
    if (isEnough || (best.drop > maxDrop && found.drop < best.drop)) best = found;
    return isEnough;
  };
  for (let floats = 1; floats < ordered.length; floats *= 2) {
    if (await tried(floats)) {
      enough = floats;
      break;
    }
    tooFew = floats;
  }
  if (enough === ordered.length) return best;
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >> 1;
    if (await tried(middle)) enough = middle;
    else tooFew = middle;
  }
  return best;
}
