import "@tensorflow/tfjs-backend-cpu";
import { summarize } from "@convkit/core";
import { createModel, zoo } from "@convkit/models";
import type { ModelName } from "@convkit/models";
import { describe, expect, it } from "vitest";

describe.each(Object.keys(zoo) as ModelName[])("%s", (name) => {
  it("has the stated parameters and multiply-adds", () => {
    const model = createModel(name);
    const { params, macs } = summarize(model);
    expect({ params: params.total, trainable: params.trainable, macs }).toEqual({
      params: zoo[name].params,
      trainable: zoo[name].trainable,
      macs: zoo[name].macs,
    });
    model.dispose();
  });
});
