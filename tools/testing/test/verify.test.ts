import { spawnSync } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, it } from "vitest";

// A pnpm that fails at the stage that it is told to; its tests write one package's report, of two passed tests.
const pnpm = `#!/bin/sh
case "$*" in *"$FAILS_AT"*) [ -n "$FAILS_AT" ] && exit 3;; esac
case "$*" in *"run test"*) printf '%s' "$REPORT" > packages/one/test-report.json;; esac
exit 0
`;
const verdicts = [{ case: "train/a", ratio: 2, floor: 1, ok: true, note: "" }];
const script = (text: string) =>
  `process.stdout.write(${JSON.stringify(text)}); process.exit(Number(process.env.STATUS ?? 0));`;
const report = { numPassedTests: 2, numFailedTests: 0, success: true, testResults: [] };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "convkit-verify-"));
  for (const name of ["verify.mjs", "set-up.mjs"])
    put(`tools/${name}`, fileURLToPath(new URL(`../../${name}`, import.meta.url)), "copy");
  put("tools/peers.mjs", "");
  put("apps/cli/bin/convkit.js", "");
  put("apps/bench/bin/convkit-bench.js", script(JSON.stringify(verdicts)));
  put("packages/one/vitest.config.ts", "");
  put("bin/pnpm", pnpm);
  put("bin/python3", "#!/bin/sh\nexit 0\n");
  for (const name of ["pnpm", "python3"]) chmodSync(join(folder, "bin", name), 0o755);
});

afterEach(() => rmSync(folder, { recursive: true }));

function put(path: string, content: string, how: "write" | "copy" = "write"): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  if (how === "copy") copyFileSync(content, file);
  else writeFileSync(file, content);
}

function verify(environment: Record<string, string> = {}): {
  status: number | null;
  last: string | undefined;
  stdout: string;
} {
  const { status, stdout } = spawnSync(process.execPath, [join(folder, "tools", "verify.mjs")], {
    encoding: "utf8",
    env: {
      ...process.env,
      PATH: `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`,
      REPORT: JSON.stringify(report),
      ...environment,
    },
  });
  return { status, stdout, last: stdout.trimEnd().split("\n").at(-1) };
}

it("counts the tests of all packages and the guarded ratios", () => {
  expect(verify()).toMatchObject({ status: 0, last: "3 passed, 0 failed" });
});

it.each([
  ["install", "Install", "3 passed, 1 failed"],
  ["run build", "Build", "3 passed, 1 failed"],
  ["run lint", "Lint and format", "3 passed, 1 failed"],
  ["run typecheck", "Types", "3 passed, 1 failed"],
  ["run site", "The documentation site", "3 passed, 1 failed"],
])("goes on after a failing `%s` and ends with the counts", (stage, name, last) => {
  const ended = verify({ FAILS_AT: stage });
  expect(ended).toMatchObject({ status: 1, last });
  expect(ended.stdout).toContain(`Failed: ${name} (status 3)`);
});

it("goes on after the peers' environment failed", () => {
  put("tools/peers.mjs", "process.exit(4);");
  expect(verify()).toMatchObject({ status: 1, last: "3 passed, 1 failed" });
});

it.each([
  ["failed tests", { ...report, numFailedTests: 3, success: false }, "3 passed, 3 failed"],
  ["a file that did not load", { ...report, success: false }, "3 passed, 1 failed"],
])("counts %s", (_, failing, last) => {
  expect(verify({ REPORT: JSON.stringify(failing) })).toMatchObject({ status: 1, last });
});

it.each([
  ["no report", { FAILS_AT: "run test" }],
  ["half a report", { REPORT: '{"numPassed' }],
])("counts a package that left %s", (_, environment) => {
  expect(verify(environment)).toMatchObject({ status: 1, last: "1 passed, 1 failed" });
});

it.each([
  ["a ratio under its floor", JSON.stringify([{ ...verdicts[0], ok: false }]), 1, "2 passed, 1 failed"],
  ["a guard that breaks", "", 7, "2 passed, 1 failed"],
])("counts %s", (_, text, status, last) => {
  put("apps/bench/bin/convkit-bench.js", script(text));
  expect(verify({ STATUS: String(status) })).toMatchObject({ status: 1, last });
});

it("names no script of the repository as a command of pnpm's own, which would run instead", () => {
  const { stdout } = spawnSync("pnpm", ["--help", "-a"], { encoding: "utf8" });
  const lines = stdout.split("\n").map((line) => /^ {2,8}([a-z-]+(?:, [a-z-]+)*)(?: {2}|$)/.exec(line)?.[1] ?? "");
  const commands = new Set(lines.flatMap((names) => names.split(", ")));
  expect(commands).toContain("peers");
  const { scripts } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  // `pnpm test` runs the script of that name.
  expect(Object.keys(scripts).filter((name) => commands.has(name) && name !== "test")).toEqual([]);
});
