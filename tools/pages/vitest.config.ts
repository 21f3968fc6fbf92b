import { defineConfig, mergeConfig } from "vitest/config";
import { vulkanEnvironment } from "../testing/src/vulkan-driver.ts";
import shared from "../../vitest.shared.ts";

// The processes of the tests begin with it: the loader of programs reads it once.
export default mergeConfig(shared, defineConfig({ test: { env: vulkanEnvironment() } }));
