// What a fresh clone needs before anything runs: dependencies, build, TensorFlow. Plain Node, since nothing is installed yet.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

function spawn(command, args) {
  return spawnSync(command, args, {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, TURBO_TELEMETRY_DISABLED: "1" },
  });
}

/** Runs a command at the root and ends this process with its status if it fails. */
export function run(command, args) {
  const { status, signal, error } = spawn(command, args);
  if (error !== undefined) process.stderr.write(`${command} could not be started: ${error.message}\n`);
  if (status !== 0) process.exit(signal === "SIGINT" ? 130 : (status ?? 1));
}

export function pnpm(...args) {
  run("pnpm", args);
}

const convkitBin = "apps/cli/bin/convkit.js";

export function convkit(...args) {
  run(process.execPath, [convkitBin, ...args]);
}

/** Installs the dependencies, builds every package and provisions TensorFlow where Python and a compiler allow it. */
export function setUp() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    process.stderr.write(
      `convkit needs Node 20.19 or newer, this is ${process.versions.node}: install a current Node.\n`,
    );
    process.exit(2);
  }
  pnpm("install", "--frozen-lockfile", "--prefer-offline", "--reporter=append-only");
  pnpm("exec", "turbo", "run", "build", "--output-logs=errors-only", "--no-update-notifier");
  const { status, signal } = spawn(process.execPath, [convkitBin, "engine", "install"]);
  if (signal === "SIGINT" || status === 130) process.exit(130);
  if (status !== 0)
    process.stderr.write("TensorFlow was not installed, for the reason above: the wasm engine serves.\n");
}
