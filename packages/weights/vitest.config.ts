import { together } from "../../vitest.shared.ts";

export default together();
