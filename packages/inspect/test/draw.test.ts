import { add, chain, concat, conv, identity, maxPool, network, relu, summarize } from "@convkit/core";
import type { Block } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { draw, drawPage } from "@convkit/inspect";
import { createModel } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import * as tfl from "@tensorflow/tfjs-layers";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import { beforeAll, describe, expect, it } from "vitest";
import { findBlocks } from "../src/draw/blocks.ts";
import { modelBoxes } from "../src/draw/boxes.ts";
import { depthOf, foldBlocks } from "../src/draw/fold.ts";
import { mergeFollowers } from "../src/draw/merge-followers.ts";
import { boxesOf, isBlock } from "../src/draw/parts.ts";
import type { Part } from "../src/draw/parts.ts";
import { joinRepeats } from "../src/draw/repeats.ts";

beforeAll(() => useEngine("wasm").then(() => undefined));

const all = { open: new Set<string>(), fold: new Set<string>() };

/** The titles of the boxes in a drawing. */
function headsOf(svg: string): string[] {
  expect(XMLValidator.validate(svg)).toBe(true);
  return [
    ...svg.matchAll(
      /<g class="[a-z]+(?: frozen)?"><title>[^<]*<\/title><rect[^>]*\/><text class="head"[^>]*>([^<]*)</g,
    ),
  ].map(([, text]) => text as string);
}

/** The parameters that the boxes of a drawing stand for, equal blocks in a row counted each. */
function paramsOf(parts: readonly Part[]): number {
  return parts.reduce((sum, part) => {
    const own = isBlock(part) ? paramsOf(part.parts) * part.repeats.length : part.params;
    return sum + own;
  }, 0);
}

describe.each<ModelName>(["lenet5", "googlenet", "resnet50", "mobilenet-v2", "densenet121", "inception-v3"])(
  "%s",
  (name) => {
    it("draws each layer and each of its inputs once", () => {
      const model = createModel(name);
      const { boxes, edges } = modelBoxes(model);
      const { layers } = summarize(model);
      const named = new Map(boxes.map((box) => [box.id, box]));
      for (const each of layers.filter(({ type }) => type !== "InputLayer")) {
        const box = boxes.find((other) => other.name === each.name && other.kind !== "output");
        expect(box?.params).toBe(each.params);
        expect(box?.macs).toBe(each.macs);
        expect(edges.filter(({ to }) => to === box?.id).map(({ from }) => named.get(from)?.name)).toEqual(
          each.connectedTo,
        );
      }
      expect(boxes.length).toBe(layers.length + model.outputs.length);
    });

    it("folds into blocks without circles, and loses no parameter", () => {
      const model = createModel(name);
      const merged = mergeFollowers(modelBoxes(model));
      const { parts, graph } = joinRepeats(findBlocks(merged), merged);
      const { params } = summarize(model);
      expect(paramsOf(parts)).toBe(params.total);
      for (let depth = 0; depth <= depthOf(parts); depth++) {
        const folded = foldBlocks(parts, graph, { ...all, depth });
        // A reader behind its source, in the order of the boxes, at every depth: no circle.
        const place = new Map(folded.boxes.map(({ id }, i) => [id, i]));
        for (const { from, to } of folded.edges) expect(place.get(from)).toBeLessThan(place.get(to) as number);
        // Everything but the input is read from somewhere.
        const read = new Set(folded.edges.map(({ to }) => to));
        expect(folded.boxes.filter(({ id, kind }) => !read.has(id) && kind !== "input")).toEqual([]);
      }
    });
  },
);

describe("draw", () => {
  it("draws ResNet-152 in 44 boxes: 35 equal blocks of its fourth stage once", async () => {
    const svg = await draw(createModel("resnet152"));
    const heads = headsOf(svg);
    expect(heads).toHaveLength(44);
    expect(svg).toContain("conv4_block2 to conv4_block36, 35 times");
    expect(svg).toContain("60,419,944 parameters");
    expect(svg).toContain(">56×56×256<");
  });

  it("opens and folds blocks by their names", async () => {
    const model = createModel("googlenet");
    const folded = headsOf(await draw(model, { depth: 0 }));
    expect(folded.filter((head) => /^[345][a-e]$/.test(head))).toEqual([
      "3a",
      "3b",
      "4a",
      "4b",
      "4c",
      "4d",
      "4e",
      "5a",
      "5b",
    ]);
    const opened = headsOf(await draw(model, { depth: 0, open: ["4b.b3"] }));
    expect(opened).toContain("Conv2D 5×5, 64, same, relu");
    expect(opened).not.toContain("4b");
    expect(headsOf(await draw(model, { depth: 9, fold: ["4b"] }))).toContain("4b");
    await expect(draw(model, { open: ["4z"] })).rejects.toThrow(
      /expected the name of a block of googlenet, got "4z"; there are/,
    );
  });

  it("finds the modules of a network whose names are counted", async () => {
    const heads = headsOf(await draw(createModel("inception-v3"), { depth: 0 }));
    expect(heads.filter((head) => head.startsWith("mixed"))).toContain("mixed5 to mixed6, 2 times");
  });

  it("follows a nested model's calls, and shapes of any size", async () => {
    const inner = network(
      [null, null, 3],
      chain([conv(4, 3, { padding: "same" }), maxPool(2, 2, { padding: "valid" })]),
      { name: "tower" },
    );
    const [left, right] = [
      tfl.input({ shape: [8, 6, 3], name: "left" }),
      tfl.input({ shape: [8, 6, 3], name: "right" }),
    ];
    const both = [left, right].map((input) => inner.apply(input) as tfl.SymbolicTensor);
    const model = tfl.model({
      inputs: [left, right],
      outputs: tfl.layers.add({ name: "sum" }).apply(both) as tfl.SymbolicTensor,
    });
    const { boxes, edges } = modelBoxes(model);
    expect(boxes.filter(({ type }) => type === "Conv2D").map(({ scope }) => scope.map((call) => call.model))).toEqual([
      ["tower"],
      ["tower"],
    ]);
    const sum = boxes.find(({ name }) => name === "sum");
    expect(edges.filter(({ to }) => to === sum?.id).map(({ shape }) => shape)).toEqual(["4×3×4", "4×3×4"]);
    const svg = await draw(model, { depth: 0 });
    expect(headsOf(svg).filter((head) => head === "tower")).toHaveLength(2);
    // The tower's weights are there once, whatever the calls.
    expect(svg).toContain("112 parameters</text>");
    expect(svg).toContain("input left");
  });

  it("draws both edges to a sum that reads one tensor twice", async () => {
    const model = network(
      [8, 8, 3],
      chain({ a: add({ b: identity, c: identity }), d: conv(2, 1, { padding: "valid" }) }),
    );
    expect(headsOf(await draw(model))).toHaveLength(4);
    const { boxes, edges } = mergeFollowers(modelBoxes(model));
    const sum = boxes.find(({ type }) => type === "Add");
    expect(edges.filter(({ to }) => to === sum?.id).map(({ from }) => from)).toEqual([0, 0]);
  });

  it("keeps names that XML reads otherwise apart from its own signs", async () => {
    const input = tfl.input({ shape: [3] });
    const outputs = tfl.layers.reLU().apply(input) as tfl.SymbolicTensor;
    const svg = await draw(tfl.model({ inputs: input, outputs, name: "a<b&\"'\u0007" }));
    expect(XMLValidator.validate(svg)).toBe(true);
    const { svg: root } = new XMLParser({ ignoreAttributes: false }).parse(svg);
    expect(root.title).toBe("a<b&\"'\uFFFD, 0 parameters");
  });

  it("makes boxes wide in proportion to the root of their channels", async () => {
    const pointwise = (filters: number): Block => conv(filters, 1, { padding: "valid" });
    const model = network([8, 8, 3], chain({ a: pointwise(64), b: pointwise(256), c: pointwise(144) }));
    const svg = await draw(model, { width: "channels", direction: "right", theme: "dark" });
    const widths = [...svg.matchAll(/<title>([abc]): [^<]*<\/title><rect[^>]*width="(\d+)"/g)].map(
      ([, , width]) => width,
    );
    expect(widths.slice(0, 3).map(Number)).toEqual([210, 420, 315]);
    expect(svg).not.toContain("prefers-color-scheme");
  });

  it("refuses options out of their range", async () => {
    const model = createModel("lenet5");
    await expect(draw(model, { depth: 1.5 })).rejects.toThrow(
      "draw: expected depth to be a whole number from 0, got 1.5",
    );
    await expect(draw(model, { direction: "up" as never })).rejects.toThrow(
      'expected direction to be one of down, right, got "up"',
    );
    await expect(draw(model, { size: 3 } as never)).rejects.toThrow(/size/);
  });
});

describe("frozen layers and types", () => {
  const model = () => {
    const ids = tfl.input({ shape: [6], dtype: "int32", name: "ids" });
    const vectors = tfl.layers.embedding({ inputDim: 10, outputDim: 4, name: "vectors" }).apply(ids);
    const mean = tfl.layers.globalAveragePooling1d({ name: "mean" }).apply(vectors);
    const norm = tfl.layers.batchNormalization({ name: "norm" }).apply(mean);
    const top = tfl.layers.dense({ units: 3, name: "top" }).apply(norm) as tfl.SymbolicTensor;
    return tfl.model({ inputs: ids, outputs: top });
  };

  it("a type is written where it is another than float32, and each box tells its own", async () => {
    const svg = await draw(model());
    expect(svg).toContain(">6 int32<");
    expect(svg).toContain(">6×4<");
    expect(svg).toContain("vectors: Embedding; 40 parameters; gives float32<");
    expect(svg).toContain("input; 0 parameters; gives int32<");
    expect(svg).not.toMatch(/class="[a-z]+ frozen"/);
  });

  it("frozen layers are dashed, by themselves or by their model, and counted", async () => {
    const one = model();
    one.getLayer("vectors").trainable = false;
    const svg = await draw(one);
    expect(svg).toContain(">40 parameters, frozen<");
    expect(svg.match(/class="[a-z]+ frozen"/g)).toHaveLength(1);
    // Batch norm keeps two of its four vectors out of the training by itself: that is not frozen.
    expect(svg).toContain(">16 parameters<");
    const all = model();
    all.trainable = false;
    expect(headsOf(await draw(all)).length).toBeGreaterThan(3);
    expect((await draw(all)).match(/class="[a-z]+ frozen"/g)).toHaveLength(3);

    const backbone = createModel("mobilenet-v2", { input: [96, 96, 3] });
    for (const layer of backbone.layers.slice(0, 20)) layer.trainable = false;
    const frozen = backbone.layers.slice(0, 20).reduce((sum, layer) => sum + layer.countParams(), 0);
    const { parts } = joinRepeats(findBlocks(modelBoxes(backbone)), modelBoxes(backbone));
    const frozenOf = (some: readonly Part[]): number =>
      some.reduce((sum, part) => sum + (isBlock(part) ? frozenOf(part.parts) * part.repeats.length : part.frozen), 0);
    expect(frozenOf(parts)).toBe(frozen);
    expect(await draw(backbone, { depth: 0 })).toMatch(/>[\d,]+ parameters, frozen</);
  });
});

describe("drawPage", () => {
  it("has a drawing for each depth, one of them shown", async () => {
    const page = await drawPage(createModel("googlenet"));
    expect(page.match(/<svg /g)).toHaveLength(3);
    expect(page.match(/class="drawing" data-depth="\d"><svg/g)).toHaveLength(1);
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
  });
});

it("draws a part of a model of two outputs", async () => {
  const trunk = chain({
    conv: conv(4, 3, { padding: "same" }),
    join: concat({
      a: conv(2, 1, { padding: "valid" }),
      b: relu(),
    }),
  });
  const model = network([8, 8, 3], trunk);
  const two = tfl.model({
    inputs: model.inputs,
    outputs: [model.getLayer("conv").output as tfl.SymbolicTensor, model.outputs[0] as tfl.SymbolicTensor],
  });
  const { boxes, edges } = modelBoxes(two);
  const outputs = boxes.filter(({ kind }) => kind === "output");
  expect(outputs).toHaveLength(2);
  expect(outputs.map(({ id }) => edges.find(({ to }) => to === id)?.shape)).toEqual(["8×8×4", "8×8×6"]);
  expect(findBlocks(mergeFollowers(modelBoxes(two))).flatMap(boxesOf)).toHaveLength(
    mergeFollowers(modelBoxes(two)).boxes.length,
  );
});
