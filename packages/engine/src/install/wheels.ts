import { EngineError } from "../engine-error.ts";
import type { InstallableEngine } from "./installed.ts";
import type { Platform } from "../machine/platform.ts";

/** One pinned Python wheel: pip finds it by project, version and tag; the hash must match. */
export interface Wheel {
  project: string;
  version: string;
  /** The Python, ABI and platform tags, as in the file's name. */
  tags: string;
  sha256: string;
}

/** The TensorFlow that installs provide. */
export const tensorflowVersion = "2.21.0";

/** The wheels of the CPU engine. Only linux-x64 is tested. */
const nativeWheels: Record<Platform, readonly Wheel[]> = {
  "linux-x64": [
    {
      project: "tensorflow-cpu",
      version: tensorflowVersion,
      tags: "cp311-cp311-manylinux_2_27_x86_64",
      sha256: "2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c",
    },
  ],
  "linux-arm64": [
    {
      project: "tensorflow",
      version: tensorflowVersion,
      tags: "cp311-cp311-manylinux_2_27_aarch64",
      sha256: "4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c",
    },
  ],
  "darwin-arm64": [
    {
      project: "tensorflow",
      version: tensorflowVersion,
      tags: "cp311-cp311-macosx_12_0_arm64",
      sha256: "51f46f4806139d01fc7920cc72a4c75876f80649bf40ff083ab6212ceb43ca88",
    },
  ],
};

const nvidia = (project: string, version: string, tag: string, sha256: string): Wheel => ({
  project: `nvidia-${project}-cu12`,
  version,
  tags: `py3-none-${tag}`,
  sha256,
});

/**
 * The wheels of the GPU engine, Linux x64 only: TensorFlow's CUDA 12 build, and the libraries of its extra `and-cuda`.
 */
const gpuWheels: readonly Wheel[] = [
  {
    project: "tensorflow",
    version: tensorflowVersion,
    tags: "cp311-cp311-manylinux_2_27_x86_64",
    sha256: "9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124",
  },
  nvidia(
    "cublas",
    "12.9.3.13",
    "manylinux_2_27_x86_64",
    "d7d51055f161b317c7105ddaae90e71eda059026074ffef93cf7cde2886bfe72",
  ),
  nvidia(
    "cuda-cupti",
    "12.8.90",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "ea0cb07ebda26bb9b29ba82cda34849e73c166c18162d3913575b0c9db9a6182",
  ),
  nvidia(
    "cuda-nvcc",
    "12.9.86",
    "manylinux2010_x86_64.manylinux_2_12_x86_64",
    "5d6a0d32fdc7ea39917c20065614ae93add6f577d840233237ff08e9a38f58f0",
  ),
  nvidia(
    "cuda-nvrtc",
    "12.9.86",
    "manylinux2010_x86_64.manylinux_2_12_x86_64",
    "210cf05005a447e29214e9ce50851e83fc5f4358df8b453155d5e1918094dcb4",
  ),
  nvidia(
    "cuda-runtime",
    "12.9.79",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "25bba2dfb01d48a9b59ca474a1ac43c6ebf7011f1b0b8cc44f54eb6ac48a96c3",
  ),
  nvidia(
    "cudnn",
    "9.28.0.42",
    "manylinux_2_27_x86_64",
    "9ff58b7f36dacd0a93e89f8f2957b52466889217963701daa15e577317cfa375",
  ),
  nvidia(
    "cufft",
    "11.4.1.4",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "c67884f2a7d276b4b80eb56a79322a95df592ae5e765cf1243693365ccab4e28",
  ),
  nvidia(
    "curand",
    "10.3.10.19",
    "manylinux_2_27_x86_64",
    "49b274db4780d421bd2ccd362e1415c13887c53c214f0d4b761752b8f9f6aa1e",
  ),
  nvidia(
    "cusolver",
    "11.7.5.82",
    "manylinux_2_27_x86_64",
    "15da72d1340d29b5b3cf3fd100e3cd53421dde36002eda6ed93811af63c40d88",
  ),
  nvidia(
    "cusparse",
    "12.5.10.65",
    "manylinux2014_x86_64.manylinux_2_17_x86_64",
    "73060ce019ac064a057267c585bf1fd5a353734151f87472ff02b2c5c9984e78",
  ),
  nvidia("nccl", "2.32.3", "manylinux_2_27_x86_64", "bb94b2348e4861d5e8aa00b36c3d12d9bdf9c6369b82cbb723de0b582280a21c"),
  nvidia(
    "nvjitlink",
    "12.9.86",
    "manylinux2010_x86_64.manylinux_2_12_x86_64",
    "e3f1171dbdc83c5932a45f0f4c99180a70de9bd2718c1ab77d14104f6d7147f9",
  ),
];

/** The wheels of an engine; throws an EngineError if the platform has none. */
export function wheelsOf(engine: InstallableEngine, platform: Platform): readonly Wheel[] {
  if (engine === "native") return nativeWheels[platform];
  if (platform === "linux-x64") return gpuWheels;
  throw new EngineError(`The gpu engine exists for Linux x64 only, not for ${platform}: use the native engine.`);
}

/** The file name under which an index serves the wheel. */
export function wheelFile({ project, version, tags }: Wheel): string {
  return `${project.replaceAll("-", "_")}-${version}-${tags}.whl`;
}
