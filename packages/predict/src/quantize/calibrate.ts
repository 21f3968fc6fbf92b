import type { Session } from "../runtimes/session.ts";
import { withOutput } from "../sources/onnx-graph.ts";
import type { IntValues } from "./observed-values.ts";
import type { PreparedBatch } from "./judge.ts";
import { newSeen, rangeOf, seeCounts, seeRange, type Calibration, type Seen } from "./ranges.ts";
import { activationScale, type Scale } from "./scales.ts";

/** The file with the values as outputs after its own; the network's inputs are known already. */
export function withObserved(bytes: Uint8Array, values: readonly string[], inputs: readonly string[]): Uint8Array {
  return values.filter((name) => !inputs.includes(name)).reduce(withOutput, bytes);
}

/** The scale of each value, from the numbers that it takes on the calibration's images. */
export async function calibrate(
  session: Session,
  { names, sameAs }: IntValues,
  batches: () => AsyncIterable<PreparedBatch>,
  { calibration, percentile }: { readonly calibration: Calibration; readonly percentile: number },
): Promise<Map<string, Scale>> {
  const observed = names.filter((name) => !sameAs.has(name));
  const seen = new Map(observed.map((name) => [name, newSeen(calibration)]));
  const [inputs, outputs] = [session.inputs, session.outputs].map((ports) => ports.map(({ name }) => name));
  const pass = async (see: (seen: Seen, values: Float32Array, name: string) => void): Promise<void> => {
    for await (const { feed } of batches()) {
      const found = await session.run([feed]);
      for (const [name, each] of seen) {
        const values = inputs!.includes(name) ? Float32Array.from(feed.data) : found[outputs!.indexOf(name)]!.data;
        see(each, values, name);
      }
    }
  };
  await pass(seeRange);
  if (calibration !== "min-max") await pass(seeCounts);
  const scales = new Map<string, Scale>();
  for (const [name, each] of seen) scales.set(name, activationScale(...rangeOf(each, calibration, percentile)));
  for (const [name, source] of sameAs) scales.set(name, scales.get(source)!);
  return scales;
}
