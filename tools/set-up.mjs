// What a fresh clone needs before anything runs: dependencies, build, TensorFlow. Plain Node, since nothing is installed yet.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/** Runs a command at the root; returns its exit status, 130 where it was interrupted. */
export function attempt(command, args) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
  if (error !== undefined) process.stderr.write(`${command} could not be started: ${error.message}\n`);
  return signal === "SIGINT" ? 130 : (status ?? 1);
}

const convkitBin = "apps/cli/bin/convkit.js";

export function convkit(...args) {
  return attempt(process.execPath, [convkitBin, ...args]);
}

/**
 * Installs the dependencies, builds every package and provisions TensorFlow where Python and a compiler allow it. What fails is
 * told to `failed`, which may end the process: the steps behind it are tried otherwise.
 */
export function setUp(failed) {
  const step = (what, command, ...args) => {
    const status = attempt(command, args);
    if (status !== 0) failed(what, status);
  };
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    process.stderr.write(
      `convkit needs Node 20.19 or newer, this is ${process.versions.node}: install a current Node.\n`,
    );
    failed("Node's version", 2);
  }
  step("Install", "pnpm", "install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only");
  step(
    "Build",
    "pnpm",
    "exec",
    "turbo",
    "run",
    "build",
    "--continue",
    "--output-logs=errors-only",
    "--no-update-notifier",
  );
  const status = convkit("engine", "install");
  if (status === 130) failed("Installing TensorFlow", status);
  else if (status !== 0)
    process.stderr.write("TensorFlow was not installed, for the reason above: the wasm engine serves.\n");
}
