// Empties the dist folder of the package that is built: tsc leaves the files of sources that are gone.
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
