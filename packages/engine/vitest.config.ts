import { mergeConfig } from "vitest/config";

import shared from "../../vitest.shared.ts";

// Tests here start processes, download and compile: on a busy machine each of that may take minutes.
export default mergeConfig(shared, { test: { testTimeout: 300_000, hookTimeout: 300_000 } });
