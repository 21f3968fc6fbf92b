import type { Reply } from "../drivers/protocol.ts";
import type { Network } from "../cases/networks.ts";

/** Tolerances for rounding. */
const rounding = { float32: { first: 1e-3, outputs: 2e-3 }, half: { first: 0.05, outputs: 0.1 } } as const;

/** JPEG decoders differ in their arithmetic, so the mean of all pixels may differ by this much. */
const dataRounding = 0.01;

/**
 * Says why a system's answer differs from the reference's; undefined if they agree. Parameter counts must be equal. The
 * first two losses, or the outputs, must be equal up to rounding. Data cases have no network. `half` is true for
 * bfloat16 and float16.
 */
export function disagreement(
  network: Network | undefined,
  answer: Reply,
  reference: Reply,
  half: boolean,
): string | undefined {
  if (network !== undefined && answer.params !== network.params)
    return `it has ${answer.params} parameters, the network has ${network.params}`;
  const limits = half ? rounding.half : rounding.float32;
  const losses = longest(reference.losses, answer.losses);
  for (let index = 0; index < losses; index++) {
    const [came, expected] = [answer.losses?.[index], reference.losses?.[index]];
    const allowed = index === 0 ? limits.first : Math.max(network?.tolerance ?? 0, 3 * limits.first);
    if (!isNear(came, expected, allowed * Math.abs(expected ?? 0)))
      return `its loss of step ${index + 1} is ${came}, the reference's is ${expected}`;
  }
  const limit = network === undefined ? dataRounding : limits.outputs;
  const largest = Math.max(...(reference.outputs ?? []).map(Math.abs));
  const outputs = longest(reference.outputs, answer.outputs);
  for (let index = 0; index < outputs; index++) {
    const [came, expected] = [answer.outputs?.[index], reference.outputs?.[index]];
    if (!isNear(came, expected, limit * largest))
      return `its output ${index} is ${came}, the reference's is ${expected}`;
  }
  return undefined;
}

function longest(...lists: readonly (readonly number[] | undefined)[]): number {
  return Math.max(...lists.map((list) => list?.length ?? 0));
}

/** True if two numbers are close. Infinity and NaN arrive as null and are close to nothing. */
function isNear(came: number | null | undefined, expected: number | undefined, distance: number): boolean {
  return Number.isFinite(came) && Math.abs(came! - expected!) <= distance;
}
