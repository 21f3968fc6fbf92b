import type { Platform } from "./platform.ts";

/** One pinned Python wheel: pip finds it by project, version and tag; the hash decides whether it is the one we mean. */
export interface Wheel {
  project: string;
  version: string;
  /** The Python and ABI tags; a wheel for any Python is `["py3", "none"]`. */
  python: readonly [string, string];
  tag: string;
  sha256: string;
  bytes: number;
}

/** The TensorFlow that installs provide. */
export const tensorflowVersion = "2.21.0";

const cp311 = ["cp311", "cp311"] as const;

/** The wheels of the CPU engine. Run here: linux-x64; the others are untested. */
export const nativeWheels: Record<Platform, readonly Wheel[]> = {
  "linux-x64": [
    {
      project: "tensorflow-cpu",
      version: tensorflowVersion,
      python: cp311,
      tag: "manylinux_2_27_x86_64",
      sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
      bytes: 273_800_000,
    },
  ],
  "linux-arm64": [
    {
      project: "tensorflow",
      version: tensorflowVersion,
      python: cp311,
      tag: "manylinux_2_27_aarch64",
      sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
      bytes: 270_000_000,
    },
  ],
  "darwin-arm64": [
    {
      project: "tensorflow",
      version: tensorflowVersion,
      python: cp311,
      tag: "macosx_12_0_arm64",
      sha256: "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
      bytes: 200_000_000,
    },
  ],
};

/** The file name under which an index serves the wheel. */
export function wheelFile({ project, version, python, tag }: Wheel): string {
  return `${project.replaceAll("-", "_")}-${version}-${python.join("-")}-${tag}.whl`;
}
