import { bundling } from "@convkit/testing/bundled";

export default bundling(new URL("../", import.meta.url));
