// `pnpm verify`: everything a fresh clone needs, then every check: format, lint, types and each package's tests.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { join, relative } from "node:path";
import { pnpm, root, run, setUp } from "./set-up.mjs";

setUp();
if (spawnSync("python3", ["-m", "pip", "--version"]).status === 0) run(process.execPath, ["tools/peers.mjs"]);
else process.stderr.write("Python with pip is not here: the comparisons with Keras and PyTorch are left out.\n");

pnpm("run", "lint");
pnpm("exec", "turbo", "run", "typecheck", "--output-logs=errors-only", "--no-update-notifier");

const reports = ["packages", "apps", "tools"]
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
  .filter((folder) => existsSync(join(folder, "vitest.config.ts")))
  .map((folder) => join(folder, "test-report.json"));
for (const report of reports) rmSync(report, { force: true });

// One package at a time: TensorFlow uses every core by itself.
const tests = spawnSync(
  "pnpm",
  ["exec", "turbo", "run", "test", "--concurrency=1", "--continue", "--output-logs=new-only", "--no-update-notifier"],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"], env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" } },
);

const sums = { passed: 0, failed: 0 };
for (const file of reports) {
  if (!existsSync(file)) {
    process.stderr.write(`${file} was not written: that package's tests did not run to their end.\n`);
    sums.failed++;
    continue;
  }
  const report = JSON.parse(readFileSync(file, "utf8"));
  sums.passed += report.numPassedTests;
  sums.failed += Math.max(report.numFailedTests, report.success ? 0 : 1);
  for (const { name, assertionResults, message } of report.testResults) {
    if (message) process.stdout.write(`\nFailed: ${relative(root, name)}\n${message}\n`);
    for (const { fullName, failureMessages } of assertionResults.filter(({ status }) => status === "failed")) {
      process.stdout.write(`\nFailed: ${relative(root, name)}: ${fullName}\n${failureMessages.join("\n")}\n`);
    }
  }
}
process.stdout.write("\nSpeed against tfjs-node eager, which may not fall under its floors:\n");
const guard = spawnSync(process.execPath, ["apps/bench/bin/convkit-bench.js", "--check", "--json"], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
  encoding: "utf8",
});
const verdicts = guard.stdout.trim() === "" ? [] : JSON.parse(guard.stdout);
for (const { case: name, ratio, floor, ok, note } of verdicts)
  process.stdout.write(`${ok ? "ok    " : "Failed"} ${name}: ${ratio?.toFixed(2) ?? note}, floor ${floor}\n`);
const fallen = verdicts.filter(({ ok }) => !ok).length;
sums.passed += verdicts.length - fallen;
sums.failed += guard.status === 0 ? 0 : Math.max(fallen, 1);

process.stdout.write(`\n${sums.passed} passed, ${sums.failed} failed\n`);
process.exit(tests.status === 0 && sums.failed === 0 ? 0 : 1);
