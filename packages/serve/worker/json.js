import { existsSync } from "node:fs";

// From a checkout the TypeScript sources run as they are; the published package has only dist.
const source = new URL("../src/json/json-worker.ts", import.meta.url);
if (existsSync(source)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(source.href);
} else {
  await import(new URL("../dist/json/json-worker.js", import.meta.url).href);
}
