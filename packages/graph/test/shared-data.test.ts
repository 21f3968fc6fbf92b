import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { useEngine } from "@convkit/engine";
import { engines } from "@convkit/testing";
import { beforeAll, describe, expect, test } from "vitest";
import { accelerate, adam, compile } from "../src/index.ts";

/** A small program over variables: `step` runs eagerly or compiled, the rest always eagerly. */
interface Program {
  step: (...args: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** All that can be seen of the program after a run. */
  seen: () => tf.Tensor[];
  /** Runs eagerly before the run of that number. */
  before?: (run: number) => void;
  args?: (run: number) => tf.Tensor[];
}

const numbers = (tensors: readonly tf.Tensor[]): number[][] => tensors.map((t) => Array.from(t.dataSync()));

/** Every number that a program shows in some runs. */
async function history({ step, seen, before, args }: Program, compiled: boolean, runs = 4): Promise<number[][]> {
  const fast = compile(step);
  const rows: number[][] = [];
  for (let run = 0; run < runs; run++) {
    before?.(run);
    const inputs = args?.(run) ?? [];
    const results = compiled
      ? [(await fast(...inputs)) as unknown].flat().map((value) => (value as { tensor(): tf.Tensor }).tensor())
      : [step(...inputs)].flat();
    rows.push(numbers(results).flat(), numbers(seen()).flat());
  }
  await fast.dispose();
  rows.push(numbers(seen()).flat());
  return rows;
}

const w0 = [1, -2, 0.5];
const weight = (trainable = true) => tf.variable(tf.tensor1d(w0), trainable);
const square = (w: tf.Tensor) => tf.sum(tf.square(w)) as tf.Scalar;

/** One step of gradient descent on `loss`, of the given variables. */
const descend = (loss: () => tf.Scalar, variables: tf.Variable[], rate = 0.1) =>
  tf.train.sgd(rate).minimize(loss, true, variables) as tf.Scalar;

const programs: Record<string, () => Program> = {
  "two variables of one tensor, the first trained": () => {
    const start = tf.tensor1d(w0);
    const [a, b] = [tf.variable(start), tf.variable(start)];
    return { step: () => descend(() => square(a), [a]), seen: () => [a, b, start] };
  },
  "two variables of one tensor, the second trained": () => {
    const start = tf.tensor1d(w0);
    const [a, b] = [tf.variable(start), tf.variable(start)];
    return { step: () => descend(() => square(b), [b]), seen: () => [a, b, start] };
  },
  "a variable made of another's read": () => {
    const w = weight();
    const slow = tf.variable(tf.clone(w), false);
    return {
      step: () => {
        const loss = descend(() => square(w), [w]);
        slow.assign(tf.add(tf.mul(slow, 0.9), tf.mul(w, 0.1)));
        return loss;
      },
      seen: () => [w, slow],
    };
  },
  "a variable that another was assigned to": () => {
    const [w, anchor] = [weight(), tf.variable(tf.zeros([3]), false)];
    anchor.assign(w);
    return {
      step: () => descend(() => tf.add(square(w), tf.mul(square(tf.sub(w, anchor)), 3)), [w]),
      seen: () => [w, anchor],
    };
  },
  "a clone from before the trace in the loss": () => {
    const w = weight();
    const anchor = w.clone();
    return {
      step: () => descend(() => tf.add(square(w), tf.mul(square(tf.sub(w, anchor)), 3)), [w]),
      seen: () => [w, anchor],
    };
  },
  "a clone that is kept between two runs, the variable assigned to": () => {
    const w = weight();
    let clone = w.clone();
    return {
      step: () => descend(() => square(w), [w]),
      before: (run) => {
        if (run === 1) clone = w.clone();
        if (run === 2) w.assign(tf.tensor1d([7, 8, 9]));
      },
      seen: () => [clone, w],
    };
  },
  "a clone whose variable is disposed": () => {
    const [w, v] = [weight(), weight()];
    let clone = w.clone();
    return {
      step: () =>
        w.isDisposed
          ? square(v)
          : tf.add(
              descend(() => square(w), [w]),
              square(v),
            ),
      before: (run) => {
        if (run === 2) clone = w.clone();
      },
      seen: () => [clone, w],
    };
  },
  "a target network that follows every second run": () => {
    const [w, target] = [weight(), tf.variable(tf.tensor1d(w0), false)];
    return {
      step: () => descend(() => square(tf.sub(tf.mul(w, 2), tf.add(target, 1))), [w]),
      before: (run) => {
        if (run % 2 === 0) target.assign(w);
      },
      seen: () => [w, target],
    };
  },
  "assignments among variables inside": () => {
    const [a, b, c] = [weight(), tf.variable(tf.tensor1d([4, 5, 6])), tf.variable(tf.tensor1d([7, 8, 9]))];
    return {
      step: () => {
        const old = a.clone();
        a.assign(b);
        descend(() => square(b), [b]);
        b.assign(tf.add(a, c));
        c.assign(a);
        descend(() => square(c), [c]);
        return [old, a, b, c, tf.sub(a, c)];
      },
      seen: () => [a, b, c],
    };
  },
  "an optimizer's slots shared by setWeights of another's getWeights": () => {
    const [a, b] = [weight(), tf.variable(tf.tensor1d([3, 1, -1]))];
    const [first, second] = [tf.train.momentum(0.1, 0.9), tf.train.momentum(0.1, 0.9)];
    first.minimize(() => square(a), false, [a]);
    return {
      step: () => {
        const loss = first.minimize(() => square(a), true, [a]) as tf.Scalar;
        return tf.add(loss, second.minimize(() => square(b), true, [b]) as tf.Scalar);
      },
      before: (run) => {
        if (run > 0) return;
        const slots = (first as unknown as { accumulations: { originalName: string; variable: tf.Variable }[] })
          .accumulations;
        (second as unknown as { accumulations: object[] }).accumulations = slots.map(({ variable }) => ({
          originalName: `${b.name}/momentum`,
          variable: tf.variable(variable, false),
        }));
      },
      seen: () => [a, b],
    };
  },
  "an argument that has a variable's data": () => {
    const w = weight();
    return {
      step: (x) => descend(() => tf.sum(tf.mul(w, x as tf.Tensor)) as tf.Scalar, [w]),
      args: () => [w.clone()],
      seen: () => [w],
    };
  },
  "an argument that is a variable": () => {
    const w = weight();
    return {
      step: (x) => descend(() => tf.sum(tf.mul(w, x as tf.Tensor)) as tf.Scalar, [w]),
      args: () => [w],
      seen: () => [w],
    };
  },
  "variables that are returned": () => {
    const w = weight();
    const twin = tf.variable(w);
    return {
      step: () => {
        const before = w.clone();
        descend(() => square(w), [w]);
        return [before, w, twin, w.clone()];
      },
      seen: () => [w, twin],
    };
  },
  "one of the sharers disposed": () => {
    const w = weight();
    const twin = tf.variable(w);
    return {
      step: () => descend(() => square(w), [w]),
      before: (run) => {
        if (run === 2) twin.dispose();
      },
      seen: () => [w],
    };
  },
  "the best weights kept and set back": () => {
    const w = weight();
    const best: tf.Variable = tf.variable(tf.tensor1d([0, 0, 0]), false);
    return {
      step: () => descend(() => square(w), [w]),
      before: (run) => {
        if (run === 1) best.assign(w);
        if (run === 3) w.assign(best as tf.Variable<tf.Rank.R1>);
      },
      seen: () => [w, best],
    };
  },
};

describe.runIf(engines.includes("native"))("variables that share data", () => {
  beforeAll(async () => {
    await useEngine("native");
    // In tests tfjs counts what a fused kernel keeps for the gradient as a leak, and eager training throws.
    tf.env().set("IS_TEST", false);
  });

  test.each(Object.entries(programs))("%s: compiled as eager", async (_, make) => {
    const expected = await history(make(), false);
    const got = await history(make(), true);
    expect(got.map((row) => row.length)).toEqual(expected.map((row) => row.length));
    got.flat().forEach((value, i) => expect(value).toBeCloseTo(expected.flat()[i] as number, 4));
  });

  test("a moving average of weights that started as the average's own is the arithmetic's", async () => {
    const w = tf.variable(tf.tensor1d([0]));
    const average = tf.variable(w, false);
    const step = compile(() => {
      w.assign(tf.add(w, 1));
      average.assign(tf.add(tf.mul(average, 0.9), tf.mul(w, 0.1)));
      return w;
    });
    const seen: number[] = [];
    for (let run = 0; run < 4; run++) {
      await step();
      seen.push(average.dataSync()[0] as number);
    }
    [0.1, 0.29, 0.561, 0.9049].forEach((value, i) => expect(seen[i]).toBeCloseTo(value, 5));
    await step.dispose();
  });

  const model = () => {
    const zeros = { kernelInitializer: "zeros" } as const;
    const made = tfl.sequential({
      layers: [tfl.layers.dense({ units: 4, inputShape: [3], ...zeros }), tfl.layers.dense({ units: 1, ...zeros })],
    });
    made.setWeights(made.getWeights().map((w, seed) => tf.randomNormal(w.shape, 0, 1, "float32", seed + 1)));
    return made;
  };
  const [x, y] = [
    [0.5, -1, 2, 1, 0.25, -0.5, -2, 1, 0],
    [1, 0, -1],
  ] as const;

  test.each([0, 1])("the %d. of two models with equal weights trains as it does eagerly", async (which) => {
    const losses = async (isFast: boolean) => {
      const models = [model(), model()];
      models[1]!.setWeights(models[0]!.getWeights());
      const trained = models[which] as tfl.Sequential;
      trained.compile({ optimizer: adam({ learningRate: 0.05 }), loss: "meanSquaredError" });
      const fast = isFast ? accelerate(trained) : undefined;
      const { history } = await trained.fit(tf.tensor2d([...x], [3, 3]), tf.tensor2d([...y], [3, 1]), {
        epochs: 4,
        verbose: 0,
      });
      await fast?.dispose();
      const other = models[1 - which]!.predict(tf.tensor2d([...x], [3, 3])) as tf.Tensor;
      return [...(history["loss"] as number[]), ...other.dataSync()];
    };
    const [expected, got] = [await losses(false), await losses(true)];
    got.forEach((value, i) => expect(value).toBeCloseTo(expected[i] as number, 3));
    expect(got[3]).toBeLessThan(got[0] as number);
  });

  test("a function that makes a variable at every call is refused, one that makes it once is not", async () => {
    const w = weight();
    const always = compile(() => tf.add(tf.variable(w), 1));
    await expect(always()).rejects.toThrow(/makes a variable at every call at .*shared-data\.test\.ts:\d+/);
    const stateful = compile(() => tf.train.momentum(0.1, 0.9).minimize(() => square(w), true, [w]) as tf.Scalar);
    await expect(stateful()).rejects.toThrow(/makes an optimizer at every call/);
    await stateful.dispose();
    let kept: tf.Variable | undefined;
    const once = compile(() => {
      kept ??= tf.variable(w as tf.Tensor);
      kept.assign(tf.add(kept, 1));
      w.assign(tf.mul(w, 2));
      return tf.sub(kept, w);
    });
    expect([...(await once()).data]).toEqual([0, 3, 0.5]);
    expect([...(await once()).data]).toEqual([-1, 8, 0.5]);
    expect([...(kept as tf.Variable).dataSync()]).toEqual([3, 0, 2.5]);
    await Promise.all([always.dispose(), once.dispose()]);
  });
});
