import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe, expect, test } from "vitest";
import { readTfConfig } from "../src/training/tf-config.ts";

/** The scripts of the page on several machines, which users copy, with the programs of a cluster in front of the path. */
const page = readFileSync(new URL("../../../docs/guides/several-machines.md", import.meta.url), "utf8");
const bin = mkdtempSync(join(tmpdir(), "convkit-cluster-"));

function program(name: string, lines: string): void {
  writeFileSync(join(bin, name), `#!/bin/bash\n${lines}\n`);
  chmodSync(join(bin, name), 0o755);
}

// In place of the command itself, what it is given.
program("npx", 'printf "%s\\t%s\\n" "$TF_CONFIG" "$*"');
program("scontrol", 'printf "node%02d\\n" 3 4 7');
program("srun", 'shift 2; for SLURM_NODEID in 0 1 2; do export SLURM_NODEID; "$@"; done');
program("ssh", 'cd() { :; }; shift; eval "$*"');

function run(
  script: string,
  env: Readonly<Record<string, string>> = {},
): { seats: (string | undefined)[]; args: string } {
  const path = `${bin}${delimiter}${process.env["PATH"]}`;
  const { stdout, stderr } = spawnSync("bash", ["--norc", "-euo", "pipefail", "-c", script], {
    env: { PATH: path, ...env },
    encoding: "utf8",
  });
  expect(stderr).toBe("");
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => line.split("\t") as [string, string]);
  const seats = lines.map(([config]) => {
    const seat = readTfConfig(config);
    return seat && `${seat.rank} of ${seat.members.map(({ address }) => address).join(" ")}`;
  });
  return { seats: seats.toSorted(), args: lines[0]![1] };
}

/** The first block of a section that has a text. */
function block(section: string, text: string): string {
  const found = page
    .split(`\n## ${section}`)[1]!
    .split(/\n## /)[0]!
    .split("```")
    .find((part) => part.includes(text));
  return found!.slice(found!.indexOf("\n") + 1);
}

describe.skipIf(process.platform === "win32")("the page's script gives each worker its place", () => {
  test("on Slurm", () => {
    const env = { SLURM_CPUS_PER_TASK: "16", SLURM_JOB_ID: "1234567", SLURM_JOB_NODELIST: "node[03-04,07]" };
    const { seats, args } = run(block("Slurm", "#SBATCH"), env);
    const hosts = "node03:24567 node04:24567 node07:24567";
    expect(seats).toEqual([`0 of ${hosts}`, `1 of ${hosts}`, `2 of ${hosts}`]);
    expect(args).toMatch(/^convkit train resnet18 .* --threads 16$/);
  });

  test("in an indexed Job of Kubernetes", () => {
    const [, script] = block("Kubernetes", "kind: Job").split(/args:\n\s+- \|\n/);
    const lines = script!.split(/\n {10}volumeMounts/)[0]!;
    const { seats, args } = run(lines, { WORKERS: "3", JOB_COMPLETION_INDEX: "2" });
    expect(seats).toEqual(["2 of birds-0.birds:2222 birds-1.birds:2222 birds-2.birds:2222"]);
    expect(args).toMatch(/^convkit train resnet18 --data /);
  });

  test("over ssh", () => {
    expect(run(block("Over ssh", "ssh ")).seats).toEqual([
      "0 of 10.0.0.1:2222 10.0.0.2:2222",
      "1 of 10.0.0.1:2222 10.0.0.2:2222",
    ]);
  });
});
