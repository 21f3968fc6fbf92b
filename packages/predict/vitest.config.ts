import { together } from "../../vitest.shared.ts";

// This file removes and damages runtimes that a process loads once.
export default together("test/damaged.test.ts");
