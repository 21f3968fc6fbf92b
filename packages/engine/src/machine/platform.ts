import process from "node:process";

import { EngineError } from "../engine-error.ts";

/** A platform that TensorFlow publishes libraries for. */
export type Platform = "linux-x64" | "linux-arm64" | "darwin-arm64";

/** The properties that decide the platform; by default this machine's. */
export interface Machine {
  os?: string;
  arch?: string;
  /** False if the C library is not glibc (Alpine's musl): TensorFlow's wheels need glibc. */
  glibc?: boolean;
}

/** The platform that an install is for; throws an EngineError if TensorFlow publishes no library for it. */
export function platformOf({
  os = process.platform,
  arch = process.arch,
  glibc = os !== "linux" || hasGlibc(),
}: Machine = {}): Platform {
  const instead = 'use the wasm engine ("--engine wasm"), which needs npm only';
  if (os === "linux" && !glibc) {
    throw new EngineError(
      `TensorFlow's libraries need glibc, and this Linux has another C library (musl): use a glibc-based system such as Debian, or ${instead}.`,
    );
  }
  if (os === "linux" && arch === "x64") return "linux-x64";
  if (os === "linux" && arch === "arm64") return "linux-arm64";
  if (os === "darwin" && arch === "arm64") return "darwin-arm64";
  throw new EngineError(
    `The native engine exists for Linux x64, Linux arm64 and macOS arm64, not for ${os} ${arch}: ${instead}.`,
  );
}

/** The names that TensorFlow's two libraries have in a wheel for this platform. */
export function libraryNames(platform: Platform): { cc: string; framework: string } {
  return platform === "darwin-arm64"
    ? { cc: "libtensorflow_cc.2.dylib", framework: "libtensorflow_framework.2.dylib" }
    : { cc: "libtensorflow_cc.so.2", framework: "libtensorflow_framework.so.2" };
}

export function hasGlibc(): boolean {
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime !== undefined;
}
