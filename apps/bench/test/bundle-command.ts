import { bundling } from "@convkit/testing/bundled";

export default bundling(new URL("../src/main.ts", import.meta.url));
