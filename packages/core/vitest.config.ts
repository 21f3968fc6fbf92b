import { together } from "../../vitest.shared.ts";

export default together("test/no-engine.test.ts", "test/stock.test.ts");
