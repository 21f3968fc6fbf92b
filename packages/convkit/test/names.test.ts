import { expect, test } from "vitest";

test("Node and bundles get the same names", async () => {
  const [lazy, whole] = await Promise.all([import("../src/index.ts"), import("../src/names.ts")]);
  expect(Object.keys(lazy).toSorted()).toEqual(Object.keys(whole).toSorted());
});

test("every name is a function of that name", async () => {
  const {
    ConvkitError: _base,
    OptionError: _option,
    isConvkitError: _check,
    ...lazy
  } = await import("../src/index.ts");
  const whole: Readonly<Record<string, unknown>> = await import("../src/names.ts");
  for (const [name, value] of Object.entries(lazy)) {
    expect([name, value.name, typeof whole[name]]).toEqual([name, name, "function"]);
  }
});
