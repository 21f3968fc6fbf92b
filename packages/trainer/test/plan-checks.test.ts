import { describe, expect, test } from "vitest";
import { checkPlan, earlyStopping, type Plan, recipes, reduceOnPlateau } from "../src/index.ts";

describe("a plan that JSON lets pass is refused", () => {
  test.each<[plan: object, message: RegExp]>([
    [{ loss: "focal" }, /^loss must be an object of options, not "focal"\.$/],
    [{ loss: { name: "hinge" } }, /^Unknown loss "hinge": known are sparse-categorical-crossentropy, /],
    [{ loss: { name: "focal", gamma: "2" } }, /^loss\.gamma must be a number from 0, not "2"\.$/],
    [{ loss: { name: "focal", labelSmoothing: 2 } }, /^loss\.labelSmoothing must be a number from 0 to 1, not 2\.$/],
    [{ loss: { name: "focal", power: 2 } }, /^loss has no power: it may have labelSmoothing, gamma, alpha/],
    [{ optimizer: { name: "speedy" } }, /^Unknown optimizer "speedy": known are sgd, /],
    [{ optimizer: { name: "adam", beta1: "x" } }, /^optimizer\.beta1 must be a number from 0 to below 1, not "x"\.$/],
    [{ optimizer: { name: "sgd", clipNorm: 0 } }, /^optimizer\.clipNorm must be a number above 0, not 0\.$/],
    [{ schedule: "cosine" }, /^schedule must be an object of options, not "cosine"\.$/],
    [{ schedule: { name: "sine" } }, /^Unknown schedule "sine": known are constant, /],
    [{ schedule: { name: "cosine", warmup: -1 } }, /^schedule\.warmup must be a number from 0, not -1\.$/],
    [{ schedule: { name: "cosine", restarts: 1, multiply: 0.5 } }, /^schedule\.multiply must be a number from 1, not/],
    [{ schedule: { name: "cosine", rate: 1 } }, /^schedule has no rate: it may have warmup, warmupFrom, min, /],
    [{ schedule: { name: "step", at: [1, "2"] } }, /^schedule\.at must be a list of epochs, not \[1,"2"\]\.$/],
    [{ schedule: { name: "exponential" } }, /^schedule\.rate must be given\.$/],
    [{ monitor: "auc" }, /^Unknown monitor "auc": known are loss, accuracy, valLoss, valAccuracy\.$/],
    [{ accumulate: 0 }, /^accumulate must be a whole number from 1, not 0\.$/],
    [{ ema: "0.9" }, /^ema must be a number from 0 to below 1, not "0\.9"\.$/],
    [{ histograms: -1 }, /^histograms must be a whole number from 0, not -1\.$/],
    [{ augment: [] }, /^augment must be an object of options, not \[\]\.$/],
    [{ augment: { rotation: "x" } }, /^randomRotation: expected a number or \[from, to\] between -1 and 1, got "x"\.$/],
    [{ augment: { spin: 1 } }, /^augmentationFrom: expected the options flip, .*, got "spin"\./],
    [{ earlyStopping: true }, /^earlyStopping must be an object of options, not true\.$/],
    [{ earlyStopping: { monitor: "auc" } }, /^earlyStopping\.monitor must be one of loss, accuracy, .*, not "auc"\.$/],
    [{ earlyStopping: { patience: 1.5 } }, /^earlyStopping\.patience must be a whole number from 0, not 1\.5\.$/],
    [{ reduceOnPlateau: { factor: 2 } }, /^reduceOnPlateau\.factor must be a number above 0 and below 1, not 2\.$/],
    [
      { ema: 1, reduceOnPlateau: { patience: -1, wait: 2 } },
      /^ema must .* not 1\. reduceOnPlateau\.patience must .* not -1\. reduceOnPlateau has no wait: it may have monitor, /,
    ],
  ])("%j", (plan, message) => expect(() => checkPlan(plan as Plan)).toThrow(message));

  test("by callbacks too", () => {
    expect(() => earlyStopping({ patience: -1 })).toThrow(/^earlyStopping\.patience must be a whole number from 0/);
    expect(() => reduceOnPlateau({ factor: 1 })).toThrow(/^reduceOnPlateau\.factor must be a number above 0/);
  });
});

test.each(Object.entries(recipes))("the recipe %s passes, and so does --quick", (_name, { quick, ...plan }) => {
  checkPlan(plan);
  checkPlan({ ...plan, ...quick });
});
