import { describe, expect, test } from "vitest";

import { EngineError } from "@convkit/engine";
import { platformOf, type Machine } from "../src/machine/platform.ts";
import { wheelFile, wheelsOf } from "../src/install/wheels.ts";

const supported: [Machine, string, string][] = [
  [
    { os: "linux", arch: "x64", glibc: true },
    "linux-x64",
    "tensorflow_cpu-2.21.0-cp311-cp311-manylinux_2_27_x86_64.whl",
  ],
  [
    { os: "linux", arch: "arm64", glibc: true },
    "linux-arm64",
    "tensorflow-2.21.0-cp311-cp311-manylinux_2_27_aarch64.whl",
  ],
  [{ os: "darwin", arch: "arm64" }, "darwin-arm64", "tensorflow-2.21.0-cp311-cp311-macosx_12_0_arm64.whl"],
];

const refused: [Machine, RegExp][] = [
  [{ os: "linux", arch: "x64", glibc: false }, /musl.*Debian.*wasm/],
  [{ os: "linux", arch: "arm", glibc: true }, /not for linux arm: use the wasm engine/],
  [{ os: "darwin", arch: "x64" }, /not for darwin x64: use the wasm engine/],
  [{ os: "win32", arch: "x64" }, /not for win32 x64: use the wasm engine/],
];

describe("platforms", () => {
  test.each(supported)("%j is %s", (machine, platform, file) => {
    expect(platformOf(machine)).toBe(platform);
    expect(wheelsOf("native", platformOf(machine)).map(wheelFile)).toEqual([file]);
  });

  test.each(refused)("%j is refused in one sentence", (machine, sentence) => {
    expect(() => platformOf(machine)).toThrow(EngineError);
    expect(() => platformOf(machine)).toThrow(sentence);
  });

  test("the gpu engine has its thirteen wheels on Linux x64", () => {
    expect(wheelsOf("gpu", "linux-x64")).toHaveLength(13);
  });

  test.each(["linux-arm64", "darwin-arm64"] as const)("the gpu engine is refused on %s", (platform) => {
    expect(() => wheelsOf("gpu", platform)).toThrow(`Linux x64 only, not for ${platform}`);
  });
});
