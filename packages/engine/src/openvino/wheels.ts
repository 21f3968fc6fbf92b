import process from "node:process";

import { EngineError } from "../engine-error.ts";
import { hasGlibc } from "../machine/platform.ts";
import type { Wheel } from "../install/wheels.ts";

/** A platform that OpenVINO publishes wheels for. */
export type OpenvinoPlatform = "linux-x64" | "linux-arm64" | "darwin-arm64" | "win32-x64";

/** The OpenVINO that installs provide. */
export const openvinoVersion = "2026.4.1";

const wheel = (tags: string, sha256: string): Wheel => ({
  project: "openvino",
  version: openvinoVersion,
  tags: `22982-cp311-cp311-${tags}`,
  sha256,
});

/** The wheels by platform. Only linux-x64 is tested. */
const wheels: Record<OpenvinoPlatform, Wheel> = {
  "linux-x64": wheel("manylinux_2_28_x86_64", "2d22b1da03f7caf74df30e9f6417d0ab2f637e4a38e08e1dcd294d2c37407aaf"),
  "linux-arm64": wheel("manylinux_2_35_aarch64", "bea1eb3733c34ef331adc945da0ccda5937865031139073663be84c517ffda22"),
  "darwin-arm64": wheel("macosx_11_0_arm64", "d3740853691ae4a9003bc3417a4625d848e2cc3251af4b815c59199b38be252a"),
  "win32-x64": wheel("win_amd64", "bfddae6d6d3ad240157b946f180c33d0ddfaaae7487995d929a4e6b4bc12b283"),
};

/** This machine's platform; throws an EngineError if OpenVINO publishes no wheel for it. */
export function openvinoPlatform(): OpenvinoPlatform {
  const platform = `${process.platform}-${process.arch}`;
  const isMusl = process.platform === "linux" && !hasGlibc();
  if (Object.hasOwn(wheels, platform) && !isMusl) return platform as OpenvinoPlatform;
  throw new EngineError(
    `OpenVINO exists for Linux x64 and arm64 with glibc, macOS arm64 and Windows x64, not for ${platform}${isMusl ? " with musl" : ""}: predict with the runtime onnxruntime or wasm.`,
  );
}

/** The wheel of a platform. */
export function openvinoWheel(platform: OpenvinoPlatform): Wheel {
  return wheels[platform];
}

/**
 * True for the files of a wheel that predictions on the CPU need: the library, its C interface, the CPU's plugin, the
 * readers of ONNX and of OpenVINO's own format, and the libraries for threads.
 */
export function isNeeded(name: string): boolean {
  const [, library] = /^openvino\/libs\/(?:lib)?(\w+)(?:\.\d+)*\.(?:so|dylib|dll)(?:\.\d+)*$/.exec(name) ?? [];
  return library !== undefined && needed.test(library);
}

const needed = /^(openvino(_c|_(intel|arm)_cpu_plugin|_(onnx|ir)_frontend)?|tbb(12|malloc|bind_[0-9_]+)?|hwloc)$/;
