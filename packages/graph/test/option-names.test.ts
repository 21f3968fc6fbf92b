import { describe, expect, it } from "vitest";
import { adam, adamw, clipGradients, rmsprop, sgd } from "../src/index.ts";

describe("optimizers refuse unknown options", () => {
  it.each([
    ["sgd", () => sgd({ momentun: 0.9 } as never), '"momentum"'],
    ["adam", () => adam({ weightDecay: 0.1 } as never), "beta1"],
    ["adamw", () => adamw({ weight_decay: 0.1 } as never), '"weightDecay"'],
    ["rmsprop", () => rmsprop({ centred: true } as never), '"centered"'],
    ["clipGradients", () => clipGradients([], { clipvalue: 1 } as never), '"clipValue"'],
  ])("%s", (name, make, hint) => {
    expect(make).toThrow(new RegExp(`^${name}: expected the options`));
    expect(make).toThrow(hint);
  });
});
