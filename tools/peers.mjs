// Makes the Python environment of the peers (Keras, PyTorch, ONNX Runtime …) that tests and benchmarks compare with.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));
const folder =
  process.env.CONVKIT_PEERS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "convkit", "peers");
const stamp = join(folder, "requirements.sha256");
const wanted = createHash("sha256").update(readFileSync(requirements)).digest("hex");

if (existsSync(stamp) && readFileSync(stamp, "utf8") === wanted) process.exit(0);

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: ["ignore", "inherit", "inherit"] });
  if (status !== 0) {
    process.stderr.write(`${[command, ...args].join(" ")} failed (${error?.message ?? `status ${status}`}).\n`);
    process.exit(1);
  }
}

mkdirSync(dirname(folder), { recursive: true });
run("python3", ["-m", "venv", folder]);
run(join(folder, "bin", "python"), [
  "-m",
  "pip",
  "install",
  "--quiet",
  "--disable-pip-version-check",
  "-r",
  requirements,
]);
writeFileSync(stamp, wanted);
