import { configDefaults, defineConfig } from "vitest/config";

/** The settings every package's tests run under; `vitest.config.ts` of each package re-exports them. */
const shared = defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    setupFiles: [new URL("./tools/testing/src/setup.ts", import.meta.url).pathname],
    // TensorFlow lives in the process: one fork a file unless a package takes `together`, and two cores to share.
    pool: "forks",
    maxWorkers: 2,
    // One limit for every test and hook, long enough beside other heavy work: a test that is slow there has not failed.
    testTimeout: 1_800_000,
    hookTimeout: 1_800_000,
    // The message of a failure in the report shows the values, not "[ { …(8) } ]".
    chaiConfig: { truncateThreshold: 2_000 },
    reporters: ["default", ["json", { outputFile: "test-report.json" }]],
  },
});

export default shared;

/**
 * For packages whose files may follow each other in one process: TensorFlow and tfjs then load once, not once a file. The
 * files `alone` still get processes of their own.
 */
export function together(...alone: string[]) {
  const project = (name: string, test: object) => ({ extends: true as const, test: { name, ...test } });
  const { include, ...test } = shared.test!;
  return defineConfig({
    test: {
      ...test,
      projects: [
        project("together", { include, isolate: false, exclude: [...configDefaults.exclude, ...alone] }),
        ...(alone.length > 0 ? [project("alone", { include: alone })] : []),
      ],
    },
  });
}
