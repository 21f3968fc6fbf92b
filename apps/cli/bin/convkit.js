#!/usr/bin/env node
import { existsSync } from "node:fs";

// Until the command is loaded and listens for signals itself: the exit status is the same, and SIGHUP, which tells a server to load what
// changed, does not end the server.
for (const name of ["SIGINT", "SIGTERM"])
  process.on(name, (_, number) => {
    if (process.listenerCount(name) === 1) process.exit(128 + number);
  });
if (process.argv.includes("serve")) process.on("SIGHUP", () => {});

// From a checkout the TypeScript sources run as they are; the published package has only dist.
const source = new URL("../src/main.ts", import.meta.url);
if (existsSync(source)) {
  const { register } = await import("tsx/esm/api");
  register();
  await import(source.href);
} else {
  await import(new URL("../dist/main.js", import.meta.url).href);
}
