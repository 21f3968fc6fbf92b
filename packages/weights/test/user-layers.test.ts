import { LayerScale } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import * as tf from "@tensorflow/tfjs-core";
import * as tfl from "@tensorflow/tfjs-layers";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadModel, registerImportLayers, saveModel } from "../src/index.ts";

/** Adds a number a channel: not what our layer of the same name does. */
class AddedScale extends tfl.layers.Layer {
  static className = "LayerScale";
  private gamma!: tfl.LayerVariable;

  override build(shape: tfl.Shape | tfl.Shape[]): void {
    this.gamma = this.addWeight(
      "gamma",
      [(shape as number[]).at(-1)!],
      "float32",
      tfl.initializers.constant({ value: 3 }),
    );
    this.built = true;
  }

  override call(x: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return tf.add([x].flat()[0]!, this.gamma.read());
  }
}

function modelOf(layer: tfl.layers.Layer): tfl.LayersModel {
  return tfl.sequential({ layers: [tfl.layers.inputLayer({ inputShape: [2, 2, 1] }), layer] });
}

async function answer(model: tfl.LayersModel): Promise<number> {
  return (model.predict(tf.fill([1, 2, 2, 1], 5)) as tf.Tensor).dataSync()[0]!;
}

describe("a layer class of a user's", () => {
  const folder = mkdtempSync(join(tmpdir(), "convkit-user-"));
  const at = (name: string): string => join(folder, name);
  beforeAll(() => useEngine());
  afterAll(() => {
    rmSync(folder, { recursive: true });
    // Other files in this process have layers of that name.
    delete tf.serialization.SerializationMap.getMap().classNameMap["LayerScale"];
  });

  it("is found by its class, though one of ours has its name", async () => {
    await saveModel(modelOf(new AddedScale({ name: "own" })), at("own"), { format: "tfjs" });
    const model = await loadModel(at("own"), { layers: [AddedScale] });
    expect(await answer(model)).toBe(5 + 3);
    // Registered with tfjs it is found without being given.
    tf.serialization.registerClass(AddedScale);
    expect(await answer(await loadModel(at("own")))).toBe(5 + 3);
  });

  it("does not take the place of ours in a file that we wrote", async () => {
    registerImportLayers();
    const ours = new LayerScale({ name: "ours", initValues: 4, projectionDim: 1 });
    await saveModel(modelOf(ours), at("ours"), { format: "tfjs" });
    expect(await answer(await loadModel(at("ours"), { layers: [AddedScale] }))).toBe(5 * 4);
  });

  it.each(["own.onnx", "own.keras", "own.h5"])("is refused in %s, not written as ours", async (name) => {
    await expect(saveModel(modelOf(new AddedScale({ name: "own" })), at(name))).rejects.toThrow(
      /layer "own" \(LayerScale\).*class of yours|own, LayerScale: is a class of yours/,
    );
  });

  it("has its activations by name", async () => {
    const dense = tfl.layers.dense({ units: 1, inputShape: [1], kernelInitializer: "ones", name: "last" });
    await saveModel(tfl.sequential({ layers: [dense] }), at("fn"), { format: "tfjs" });
    const text = readFileSync(at("fn/model.json"), "utf8");
    writeFileSync(at("fn/model.json"), text.replace('"activation":"linear"', '"activation":"thrice"'));
    await expect(loadModel(at("fn"))).rejects.toThrow(/activation thrice is not known: give it, loadModel\(file, /);
    const model = await loadModel(at("fn"), { functions: { thrice: (x) => tf.mul(x, 3) } });
    expect((model.predict(tf.tensor2d([[2]])) as tf.Tensor).dataSync()[0]).toBe(6);
  });
});

it("activations are registered once, however often models are loaded", () => {
  registerImportLayers();
  const { classNameMap } = tf.serialization.SerializationMap.getMap();
  const [first] = classNameMap["hardShrink"]!;
  registerImportLayers();
  expect(classNameMap["hardShrink"]![0]).toBe(first);
});
