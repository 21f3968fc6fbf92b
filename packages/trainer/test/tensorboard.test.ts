import { mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { contactSheet } from "@convkit/datasets";
import { useEngine } from "@convkit/engine";
import { engines, peerPython, runPeer } from "@convkit/testing";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { openEventFile, planAugmentation, tensorBoard, train, type Training } from "../src/index.ts";
import { crc32c } from "../src/tensorboard/crc32c.ts";
import { histogram } from "../src/tensorboard/histogram.ts";
import { halves, smallNet } from "./squares.ts";

test("CRC-32C gives RFC 3720's values", () => {
  expect(crc32c(new Uint8Array(32))).toBe(0x8a9136aa);
  expect(crc32c(new Uint8Array(32).fill(255))).toBe(0x62a8ab43);
  expect(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i))).toBe(0x46dd794e);
  expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
});

test("every finite value falls into the bucket whose limits hold it", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noDefaultInfinity: true, min: -1e19, max: 1e19, noNaN: true }), { minLength: 1 }),
      (values) => {
        const { bucket, bucket_limit, num, min, max } = histogram(values);
        expect([num, min, max]).toEqual([values.length, Math.min(...values), Math.max(...values)]);
        const want = bucket_limit.map(
          (limit, i) => values.filter((v) => v <= limit && v > (bucket_limit[i - 1] ?? -Infinity)).length,
        );
        expect(bucket).toEqual(want);
      },
    ),
  );
});

describe.skipIf(peerPython === undefined)("TensorBoard's own reader", () => {
  test("finds the scalars, histograms, images and the graph that were written", async () => {
    const folder = await mkdtemp(join(tmpdir(), "convkit-events-"));
    const file = await openEventFile(folder);
    await file.scalars(0, { epoch_loss: 1.5, epoch_accuracy: 0.25 });
    await file.scalars(1, { epoch_loss: 0.75, epoch_accuracy: 0.5 });
    await file.histograms(1, { "dense/kernel": Float32Array.of(-1, 0, 0.5, 0.5, 2) });
    // A sheet of one image of 2x2 pixels has a border of 4 pixels all round.
    const png = await contactSheet({ images: new Uint8Array(12).fill(7), shape: [1, 2, 2, 3] }, { scale: 1 });
    await file.images(1, { sample: { height: 10, width: 10, channels: 3, png } });
    await file.graph({
      node: [
        { name: "input", op: "InputLayer" },
        { name: "dense", op: "Dense", input: ["input"] },
      ],
      versions: { producer: 22 },
    });
    const printed = runPeer(
      `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto.graph_pb2 import GraphDef
events = EventAccumulator(sys.argv[1]); events.Reload()
h = events.Histograms("dense/kernel")[0].histogram_value
image = events.Images("sample")[0]
graph = events.Graph()
print(json.dumps(dict(
  loss=[[e.step, e.value] for e in events.Scalars("epoch_loss")],
  accuracy=[[e.step, e.value] for e in events.Scalars("epoch_accuracy")],
  histogram=[h.min, h.max, h.num, h.sum, h.sum_squares, sum(h.bucket)],
  image=[image.width, image.height, len(image.encoded_image_string)],
  graph=[[n.name, n.op, list(n.input)] for n in graph.node],
)))`,
      [folder],
    );
    expect(JSON.parse(printed)).toEqual({
      loss: [
        [0, 1.5],
        [1, 0.75],
      ],
      accuracy: [
        [0, 0.25],
        [1, 0.5],
      ],
      histogram: [-1, 2, 5, 2, 5.5, 5],
      image: [10, 10, png.length],
      graph: [
        ["input", "InputLayer", []],
        ["dense", "Dense", ["input"]],
      ],
    });
  });

  test("finds every epoch of a run: scalars, histograms of each weight, sheets of images, the layers", async () => {
    await useEngine(engines[0] ?? "wasm");
    const out = await mkdtemp(join(tmpdir(), "convkit-events-"));
    const model = smallNet();
    const data = { name: "halves", train: halves(40), validation: halves(20, { first: 500 }) };
    const { history } = await train({
      model,
      data,
      epochs: 2,
      optimizer: { name: "sgd", learningRate: 1e-9 },
      augment: planAugmentation({ brightness: 0.1 }, 2),
      out,
      callbacks: [tensorBoard({ histograms: 1, images: 4 })],
    });
    const printed = runPeer(
      `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
def read(folder):
    events = EventAccumulator(folder); events.Reload(); return events
train, validation = read(sys.argv[1] + "/tensorboard/train"), read(sys.argv[1] + "/tensorboard/validation")
scalars = lambda events, tag: [[e.step, e.value] for e in events.Scalars(tag)]
print(json.dumps(dict(
  loss=scalars(train, "epoch_loss"), accuracy=scalars(train, "epoch_accuracy"), lr=scalars(train, "epoch_learning_rate"),
  valLoss=scalars(validation, "epoch_loss"), valAccuracy=scalars(validation, "epoch_accuracy"),
  sheets={tag: [[i.step, i.width, i.height, len(i.encoded_image_string) > 100] for i in events.Images(tag)]
    for events in (train, validation) for tag in events.Tags()["images"]},
  histograms=len(train.Tags()["histograms"]), graph=[n.op for n in train.Graph().node],
)))`,
      [out],
    );
    const read = JSON.parse(printed) as Record<string, unknown>;
    for (const key of ["loss", "accuracy", "lr", "valLoss", "valAccuracy"] as const)
      expect(read[key], key).toEqual(history.map((row, step) => [step, expect.closeTo(row[key]!, 6)]));
    // Four images of 8x8, two a row, each sixteen times as large, with a caption.
    expect(read["sheets"]).toEqual({ first_batch: [[0, 268, 304, true]], worst_mistakes: [[1, 268, 304, true]] });
    expect(read["histograms"]).toBe(model.weights.length);
    expect(read["graph"]).toEqual(model.layers.map((layer) => layer.getClassName()));
  });

  test("an interrupted training draws no mistakes", async () => {
    await useEngine(engines.at(-1)!);
    const stop = new AbortController();
    const sheets: unknown[] = [];
    const sheetAtEnd = {
      onEpochEnd: () => stop.abort(),
      onTrainEnd: async (training: Training) => void sheets.push(await training.mistakesSheet(4)),
    };
    const options = {
      data: halves(8),
      epochs: 2,
      optimizer: { name: "sgd", learningRate: 1e-9 },
      progress: false,
    } as const;
    await train({ ...options, model: smallNet(), callbacks: [sheetAtEnd], signal: stop.signal });
    await train({ ...options, model: smallNet(), callbacks: [sheetAtEnd] });
    expect(sheets).toEqual([undefined, expect.objectContaining({ channels: 3 })]);
  });

  test("the file is named so that TensorBoard finds it", async () => {
    const folder = await mkdtemp(join(tmpdir(), "convkit-events-"));
    await openEventFile(folder);
    const [name] = await readdir(folder);
    expect(name).toMatch(/^events\.out\.tfevents\.\d+\..*\.v2$/);
    expect((await readFile(join(folder, name!))).length).toBeGreaterThan(16);
  });
});
