import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { compile } from "@convkit/graph";
import { engines, peerPython } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { Draw, hashed, sizeOf } from "../src/draw.ts";
import { aliases, layerCase, layerNames, leftOut, refusals } from "../src/layer-cases.ts";
import type { LayerCase } from "../src/layer-cases.ts";
import { peerResults } from "../src/peer-results.ts";

interface Stored {
  shape: number[];
  data: string;
}
type Result = { output: Stored; gradients: Stored[]; state: Stored[] } | { refused: string };

// tfjs' own check for leaks, which test mode turns on, takes what a kernel made of several ops holds until its scope ends for a leak.
tf.env().set("IS_TEST", false);

/** How many cases a layer: `CONVKIT_FIND=50` looks longer, `CONVKIT_SEED` elsewhere. */
const times = Number(process.env["CONVKIT_FIND"] ?? 4);
const draw = new Draw(Number(process.env["CONVKIT_SEED"] ?? 1));
const cases = layerNames.flatMap((name) => Array.from({ length: times }, () => layerCase(name, draw)));
let results: Result[] = [];

beforeAll(() => {
  if (peerPython !== undefined) results = peerResults<Result>("layers.py", cases);
});

type Layers = Record<string, (args: object) => tfl.layers.Layer>;

interface RegularizerConfig {
  className: "L1" | "L2" | "L1L2";
  config: { l1: number; l2: number };
}

function make({ layer, args, inner }: Omit<LayerCase, "inputs">): tfl.layers.Layer {
  const converted = Object.entries(args).map(([key, value]) => {
    if (!key.endsWith("Regularizer")) return [key, value];
    const { className, config } = value as RegularizerConfig;
    return [key, tfl.regularizers[className === "L1L2" ? "l1l2" : className === "L1" ? "l1" : "l2"](config)];
  });
  const own = inner === undefined ? {} : { layer: make(inner) };
  return (tfl.layers as unknown as Layers)[layer]!({ ...Object.fromEntries(converted), ...own });
}

function inputsOf({ inputs, indices }: LayerCase): tf.Tensor[] {
  return inputs.map((shape, i) => {
    const numbers = hashed(1000 * (i + 1), sizeOf(shape));
    if (indices === undefined) return tf.tensor(numbers, [...shape]);
    return tf.tensor(
      numbers.map((x) => Math.floor(((x + 1) / 2) * indices)),
      [...shape],
      "int32",
    );
  });
}

/** The layer of a case with the weights of the formula; `run` gives its output, and the gradients of a weighted sum of it. */
function prepared(one: LayerCase) {
  const layer = make(one);
  const xs = inputsOf(one);
  const kwargs = one.training === true ? { training: true } : {};
  layer.apply(xs.length === 1 ? xs[0]! : xs, kwargs);
  layer.setWeights(
    layer.weights.map(({ shape, originalName }, i) => {
      const size = shape as number[];
      const numbers = hashed(50_000 * (i + 1), sizeOf(size));
      return tf.tensor(/variance/.test(originalName) ? numbers.map((x) => Math.abs(x) + 0.5) : numbers, size);
    }),
  );
  const variables = layer.trainableWeights.map((weight) => weight.read() as tf.Variable);
  const run = (...inputs: tf.Tensor[]) => {
    const outputs: tf.Tensor[] = [];
    const loss = (...sources: tf.Tensor[]): tf.Scalar => {
      const y = layer.apply(sources.length === 1 ? sources[0]! : sources, kwargs) as tf.Tensor;
      outputs.push(tf.keep(y));
      const weighted = tf.sum(tf.mul(y, tf.tensor(hashed(7, y.size), y.shape)));
      return layer.calculateLosses().reduce((sum, term) => tf.add(sum, term), weighted) as tf.Scalar;
    };
    const sources = one.indices === undefined ? inputs : [];
    const { grads: byVariable } =
      variables.length > 0 ? tf.variableGrads(() => loss(...inputs), variables) : { grads: {} };
    const bySource = sources.length > 0 ? tf.grads(loss)(sources) : [];
    return [outputs[0]!, ...bySource, ...variables.map(({ name }) => (byVariable as tf.NamedTensorMap)[name]!)];
  };
  return { layer, xs, run };
}

/** What a tensor and the result of a compiled function have in common. */
type Values = Pick<tf.Tensor, "shape"> & { dataSync(): ArrayLike<number> };

const ofHost = ({ shape, data }: { shape: number[]; data: ArrayLike<number> }): Values => ({
  shape,
  dataSync: () => data,
});

function problems(one: LayerCase, result: Result, got: readonly Values[]): string[] {
  if ("refused" in result) return [];
  const wanted = [result.output, ...result.gradients];
  const faults = wanted.flatMap(({ shape, data }, i) => {
    const label = i === 0 ? "output" : `gradient ${i}`;
    const tensor = got[i];
    if (tensor === undefined) return [`${label}: missing`];
    if (JSON.stringify(tensor.shape) !== JSON.stringify(shape))
      return [`${label}: shape ${tensor.shape}, Keras ${shape}`];
    const right = new Float32Array(new Uint8Array(Buffer.from(data, "base64")).buffer);
    const ours = tensor.dataSync();
    const scale = right.reduce((max, x) => Math.max(max, Math.abs(x)), 1);
    const off = right.findIndex(
      (x, j) => !(Math.abs(x - ours[j]!) <= 2e-5 * scale) && !(Number.isNaN(x) && Number.isNaN(ours[j])),
    );
    return off < 0 ? [] : [`${label}[${off}]: ${ours[off]}, Keras ${right[off]}`];
  });
  return faults.length > 0 ? [`${JSON.stringify(one)}\n    ${faults.join("\n    ")}`] : [];
}

const isRefusal = (error: unknown) => refusals.some(([message]) => message.test(String(error)));

/** The faults of every case of one layer; an exception counts where Keras has numbers. */
function faultsOf(name: string, results: readonly Result[], run: (one: LayerCase) => readonly Values[]): string[] {
  return cases.flatMap((one, i) => {
    const result = results[i]!;
    if (one.layer !== name || "refused" in result) return [];
    tf.engine().startScope();
    try {
      return problems(one, result, run(one));
    } catch (error) {
      return isRefusal(error) ? [] : [`${JSON.stringify(one)}\n    throws ${String(error).slice(0, 300)}`];
    } finally {
      tf.engine().endScope();
    }
  });
}

test("every layer of tfjs-layers is compared, or left out with a reason", () => {
  const known = new Set([...layerNames, ...Object.keys(leftOut), ...Object.keys(aliases)]);
  expect(Object.keys(tfl.layers).filter((name) => !known.has(name))).toEqual([]);
});

describe.runIf(peerPython !== undefined)("layers with drawn options equal Keras'", () => {
  test("Keras takes nearly all drawn cases", () => {
    const refused = results.flatMap((result, i) =>
      "refused" in result ? [`${JSON.stringify(cases[i])} ${result.refused}`] : [],
    );
    expect(refused.length, refused.slice(0, 20).join("\n")).toBeLessThan(cases.length / 20);
  });

  describe.each(engines)("%s", (engine) => {
    beforeAll(() => useEngine(engine));

    test.each(layerNames)("%s", (name) => {
      const faults = faultsOf(name, results, (one) => {
        const { xs, run } = prepared(one);
        return run(...xs);
      });
      expect(faults, faults.join("\n")).toEqual([]);
    });
  });

  describe.runIf(engines.includes("native"))("native, compiled", () => {
    beforeAll(() => useEngine("native"));

    test.each(layerNames)("%s", async (name) => {
      const faults: string[] = [];
      for (const [i, one] of cases.entries()) {
        const result = results[i]!;
        if (one.layer !== name || "refused" in result) continue;
        try {
          const { xs, run } = prepared(one);
          const compiled = compile(run);
          faults.push(...problems(one, result, (await compiled(...xs)).map(ofHost)));
          await compiled.dispose();
        } catch (error) {
          if (!isRefusal(error)) faults.push(`${JSON.stringify(one)}\n    throws ${String(error).slice(0, 300)}`);
        }
      }
      expect(faults, faults.join("\n")).toEqual([]);
    });
  });
});
