import { together } from "../../vitest.shared.ts";

// These files remove and damage runtimes that a process loads once.
export default together("test/damaged.test.ts", "test/damaged-library.test.ts");
