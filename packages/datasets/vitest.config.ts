import { together } from "../../vitest.shared.ts";

// This file stands for a machine that starts no threads.
export default together("test/decode-without-threads.test.ts");
