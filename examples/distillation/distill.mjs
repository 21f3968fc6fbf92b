import {
  compile,
  evaluate,
  loadData,
  network,
  train,
  useEngine,
  withDefaults,
  chain,
  flatten,
  dense,
  rescale,
} from "convkit";
import * as tf from "convkit/tf";

const engine = await useEngine();
const { train: digits, test } = await loadData("mnist", { limit: 1000 });
const { conv, maxPool } = withDefaults({ padding: "same", activation: "relu" });
const make = (filters, seed) =>
  network(
    [28, 28, 1],
    chain([rescale(1 / 255), conv(filters, 5), maxPool(2), conv(2 * filters, 5), maxPool(2), flatten(), dense(10)]),
    { seed },
  );

// A teacher, and a student of a quarter of its width.
const teacher = make(16, 1);
await train({ model: teacher, data: digits, optimizer: "adam", epochs: 3, progress: false });

// A loop of one's own: the student learns the labels and the teacher's softened answers (Hinton et al. 2015).
const student = make(4, 2);
const optimizer = tf.train.adam(0.003);
const temperature = 4;
const update = (images, labels) =>
  optimizer.minimize(
    () => {
      const target = tf.softmax(tf.div(teacher.apply(images), temperature));
      const logits = student.apply(images, { training: true });
      const soft = tf.losses.softmaxCrossEntropy(target, tf.div(logits, temperature));
      const hard = tf.losses.softmaxCrossEntropy(tf.oneHot(labels, 10), logits);
      return tf.add(tf.mul(soft, temperature ** 2 * 0.9), tf.mul(hard, 0.1));
    },
    true,
    student.trainableWeights.map((weight) => weight.read()),
  );
const step = engine.name === "wasm" ? undefined : compile(update);

for (let epoch = 0; epoch < 3; epoch++) {
  for await (const { images, labels, shape } of digits.batches({
    batch: 64,
    shuffle: true,
    seed: 1,
    epoch,
    dropRemainder: true,
  })) {
    if (step !== undefined)
      await step({ data: images, shape }, { data: Int32Array.from(labels), shape: [labels.length] });
    else tf.tidy(() => void update(tf.tensor4d(images, shape), tf.tensor1d(labels, "int32")));
  }
}
await step?.dispose();

const right = async (model) => (100 * (await evaluate(model, test)).accuracy).toFixed(1);
console.log(`teacher: ${teacher.countParams()} parameters, ${await right(teacher)} %`);
console.log(`student: ${student.countParams()} parameters, ${await right(student)} %`);
