// `pnpm verify`: everything a fresh clone needs, then every check: format, lint, types and each package's tests. A stage that
// fails counts as one failure and the later ones still run; the last line is always `N passed, M failed`.
import { spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { attempt, root, setUp } from "./set-up.mjs";

const sums = { passed: 0, failed: 0 };

function finish(status) {
  process.stdout.write(`\n${sums.passed} passed, ${sums.failed} failed\n`);
  process.exit(status);
}

/** Counts a stage that failed; one that was interrupted ends everything. */
function failed(what, status) {
  process.stdout.write(`\nFailed: ${what} (status ${status}); its own message stands above.\n\n`);
  sums.failed++;
  if (status === 130) finish(130);
}

function stage(what, command, ...args) {
  const status = attempt(command, args);
  if (status !== 0) failed(what, status);
}

/** Starts a stage that runs beside the later ones; the function waits for it, prints what it said and gives its status. */
function beside(what, command, ...args) {
  const folder = mkdtempSync(join(tmpdir(), "convkit-verify-"));
  const file = join(folder, "output");
  const output = openSync(file, "w");
  const env = { ...process.env, TURBO_TELEMETRY_DISABLED: "1" };
  const child = spawn(command, args, { cwd: root, stdio: ["ignore", output, output], env });
  const ended = new Promise((resolve) => {
    child.once("error", () => resolve(1));
    child.once("exit", (status, signal) => resolve(signal === "SIGINT" ? 130 : (status ?? 1)));
  });
  return async function end() {
    const status = await ended;
    closeSync(output);
    process.stdout.write(`\n${what}\n${readFileSync(file, "utf8")}`);
    rmSync(folder, { recursive: true });
    return { what, status };
  };
}

setUp(failed);
// One core has time for these while the peers are downloaded and the first tests start.
const checks = [
  beside("Lint and format", "pnpm", "run", "lint"),
  beside("Types", "pnpm", "run", "typecheck"),
  beside("The documentation site", "pnpm", "run", "site"),
];
if (spawnSync("python3", ["-m", "pip", "--version"]).status === 0)
  stage("The peers' environment", process.execPath, "tools/peers.mjs");
else process.stderr.write("Python with pip is not here: the comparisons with Keras and PyTorch are left out.\n");

const reports = ["packages", "apps", "tools"]
  .flatMap((group) => readdirSync(join(root, group)).map((name) => join(root, group, name)))
  .filter((folder) => existsSync(join(folder, "vitest.config.ts")))
  .map((folder) => join(folder, "test-report.json"));
for (const report of reports) rmSync(report, { force: true });

// Two packages at a time: while one waits for Python or its last file, the other has the cores. The tests of the packed packages
// mostly wait for npm, one after the other, and would run alone at the end if turbo chose when they start.
const turbo = ["exec", "turbo", "run", "test", "--continue", "--output-logs=new-only", "--no-update-notifier"];
const packed = beside("The packages as strangers get them", "pnpm", ...turbo, "--filter=@convkit/testing");
const others = attempt("pnpm", [...turbo, "--concurrency=2", "--filter=!@convkit/testing"]);
const tests = [others, (await packed()).status].find((status) => status !== 0) ?? 0;
for (const end of checks) {
  const { what, status } = await end();
  if (status !== 0) failed(what, status);
}
if (tests === 130) failed("Tests", tests);

const before = sums.failed;
for (const file of reports) count(file);
if (tests !== 0 && sums.failed === before) failed("Tests", tests);

/** Adds a package's tests to the sums and prints those that failed. */
function count(file) {
  const report = parsed(existsSync(file) ? readFileSync(file, "utf8") : "");
  if (report === undefined) {
    process.stdout.write(`\nFailed: ${relative(root, file)} was not written: that package's tests did not end.\n`);
    sums.failed++;
    return;
  }
  sums.passed += report.numPassedTests;
  sums.failed += Math.max(report.numFailedTests, report.success ? 0 : 1);
  for (const { name, assertionResults, message } of report.testResults) {
    if (message) process.stdout.write(`\nFailed: ${relative(root, name)}\n${message}\n`);
    for (const { fullName, failureMessages } of assertionResults.filter(({ status }) => status === "failed")) {
      process.stdout.write(`\nFailed: ${relative(root, name)}: ${fullName}\n${failureMessages.join("\n")}\n`);
    }
  }
}

/** A JSON text's value; undefined for a text that is none, or was cut off. */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

process.stdout.write("\nSpeed against tfjs-node eager, which may not fall under its floors:\n");
const guard = spawnSync(process.execPath, ["apps/bench/bin/convkit-bench.js", "--check", "--json"], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
  encoding: "utf8",
});
const verdicts = parsed(guard.stdout ?? "") ?? [];
for (const { case: name, ratio, floor, ok, note } of verdicts)
  process.stdout.write(`${ok ? "ok    " : "Failed"} ${name}: ${ratio?.toFixed(2) ?? note}, floor ${floor}\n`);
const fallen = verdicts.filter(({ ok }) => !ok).length;
sums.passed += verdicts.length - fallen;
sums.failed += guard.status === 0 ? 0 : Math.max(fallen, 1);

finish(sums.failed === 0 ? 0 : 1);
