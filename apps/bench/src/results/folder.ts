import { fileURLToPath } from "node:url";

/** The folder of a checkout in which results are written and committed. */
export const resultsFolder = fileURLToPath(new URL("../../results", import.meta.url));
