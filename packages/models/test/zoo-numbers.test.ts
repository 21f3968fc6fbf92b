import { summarize, withoutDrawing } from "@convkit/core";
import type { Architecture } from "@convkit/core";
import { useEngine } from "@convkit/engine";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { isComputedInTests } from "@convkit/testing";
import { beforeAll, describe, expect, it } from "vitest";

beforeAll(async () => {
  await useEngine("auto");
});

describe.each(Object.values<Architecture>(zoo))("$name", (architecture) => {
  const name = architecture.name as ModelName;
  const { smallest } = architecture;

  it("has the stated weights and multiply-adds at its stated size", () => {
    const model = withoutDrawing(() => createModel(name));
    const { params, macs } = summarize(model);
    const [height, width, channels] = architecture.input;
    expect({ params: params.total, trainable: params.trainable, macs }).toEqual({
      params: architecture.params,
      trainable: architecture.trainable,
      macs: architecture.macs,
    });
    expect(model.inputs[0]?.shape).toEqual([null, height, width, channels]);
    expect(model.outputs[0]?.shape).toEqual([null, architecture.classes]);
    model.dispose();
  });

  it.runIf(isComputedInTests(name))(`takes ${smallest} pixels and no fewer`, () => {
    withoutDrawing(() => createModel(name, { input: [smallest, smallest, 3], includeTop: false })).dispose();
    if (smallest === 1) return;
    expect(() => createModel(name, { input: [smallest, smallest - 1, 3] })).toThrow(
      `${name}: expected an input of at least ${smallest}x${smallest} pixels, got ${smallest}x${smallest - 1}`,
    );
  });
});
