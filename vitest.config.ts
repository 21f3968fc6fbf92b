import { defineConfig } from "vitest/config";

/** For people: `pnpm vitest` at the root runs every package's tests in one go. */
export default defineConfig({ test: { projects: ["packages/*", "apps/*", "tools/testing", "tools/finders"] } });
