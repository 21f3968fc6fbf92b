import { together } from "../../vitest.shared.ts";

export default together("test/compiled-equals-eager.test.ts");
