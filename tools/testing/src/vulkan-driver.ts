import { existsSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";

/**
 * The driver of Vulkan that tests compute with: that of `VK_ICD_FILENAMES`, or of the program in place of a GPU that Chromium and Chrome
 * bring; undefined where there is neither.
 */
function vulkanDriver(): string | undefined {
  const { PATH = "", VK_ICD_FILENAMES: told } = process.env;
  if (told !== undefined && told !== "") return told;
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const files = PATH.split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  // Debian's command is a script, which starts what lies in the folder of its name.
  const folders = files
    .filter((file) => existsSync(file))
    .flatMap((file) => [dirname(realpathSync(file)), file.replace(/bin(\/[^/]+)$/, "lib$1")]);
  return folders.map((folder) => join(folder, "vk_swiftshader_icd.json")).find((file) => existsSync(file));
}

/**
 * What a process that computes with WebGPU has in its environment here: the driver, and the folder of Chromium's own loader of Vulkan for
 * systems without one. Empty where there is no driver.
 */
export function vulkanEnvironment(): Record<string, string> {
  const driver = vulkanDriver();
  if (driver === undefined) return {};
  const { LD_LIBRARY_PATH = "" } = process.env;
  const folders = [...LD_LIBRARY_PATH.split(delimiter).filter((folder) => folder !== ""), dirname(driver)];
  return { VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: folders.join(delimiter) };
}

/** The reason for leaving tests of WebGPU in Node out, as a part of their names; empty where there is a driver. */
export const withoutVulkan =
  vulkanDriver() === undefined ? " (left out: no Chromium here, whose software GPU computes this)" : "";
