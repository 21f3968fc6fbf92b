export { installOpenvino, removeOpenvino } from "./install.ts";
export type { InstallOpenvinoOptions } from "./install.ts";
export { findOpenvino, listOpenvino } from "./installed.ts";
export type { InstalledOpenvino } from "./installed.ts";
export { openvinoVersion } from "./wheels.ts";
export type { OpenvinoPlatform } from "./wheels.ts";
