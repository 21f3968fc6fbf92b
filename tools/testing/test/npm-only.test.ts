import { spawn } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

/** A machine with Node, npm and git alone: nothing else is on the PATH, and no cache of ours has anything. */

const root = fileURLToPath(new URL("../../../", import.meta.url));
const machine = mkdtempSync(join(tmpdir(), "convkit-npm-only-"));
const bin = join(machine, "bin");
mkdirSync(bin);
for (const name of ["node", "npm", "npx", "sh", "env", "git"]) {
  const folders = [dirname(process.execPath), ...(process.env["PATH"] ?? "").split(delimiter)];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found !== undefined) symlinkSync(realpathSync(found), join(bin, name));
}
afterAll(() => rmSync(machine, { recursive: true, force: true }));

const env = {
  PATH: bin,
  HOME: join(machine, "home"),
  XDG_CACHE_HOME: join(machine, "cache"),
  TMPDIR: machine,
};

interface Ended {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs Node on that machine. */
function onMachine(args: readonly string[], cwd: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(join(bin, "node"), args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    let out = "";
    let err = "";
    child.stdout.on("data", (text) => (out += String(text)));
    child.stderr.on("data", (text) => (err += String(text)));
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, out, err }));
  });
}

const convkit = (...args: string[]): Promise<Ended> =>
  onMachine([join(root, "apps/cli/bin/convkit.js"), ...args], machine);

describe("on a machine with Node and npm only", () => {
  test("the install of TensorFlow says in one line what it needs, and leaves nothing", async () => {
    const { status, err } = await convkit("engine", "install");
    expect(status).not.toBe(0);
    expect(err.trim().split("\n").at(-1)).toMatch(/No C\+\+ compiler|no Python with pip/);
  });

  test("the quickstart's training falls back to wasm with one line, learns and leaves a whole run", async () => {
    const out = join(machine, "run");
    const { status, err } = await convkit("train", "lenet5-mnist", "--limit", "4000", "--epochs", "2", "--out", out);
    expect(status, err).toBe(0);
    expect(err.match(/cannot be used/g), err).toHaveLength(1);
    expect(err).toMatch(/Using the wasm engine\. The native engine cannot be used: .*convkit engine install/);
    const [header = "", ...rows] = readFileSync(join(out, "history.csv"), "utf8").trim().split("\n");
    const losses = rows.map((row) => Number(row.split(",")[header.split(",").indexOf("loss")]));
    expect(losses).toHaveLength(2);
    expect(losses[1]).toBeLessThan(losses[0]! - 0.1);
    expect(existsSync(join(out, "report.html"))).toBe(true);
  });

  test("a package's tests pass", async () => {
    const vitest = join(root, "node_modules/vitest/vitest.mjs");
    const { status, out, err } = await onMachine([vitest, "run", "--reporter=dot"], join(root, "packages/blocks"));
    expect(status, out + err).toBe(0);
  });
});
