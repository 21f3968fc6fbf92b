import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError, Option } from "commander";
import type { RunOptions } from "./commands/run.ts";
import { peerNames, type PeerName } from "./cases/systems.ts";
import type { FootprintOptions } from "./footprint/footprint.ts";
import type { PagesOptions } from "./pages/pages.ts";
import type { ScaleOptions } from "./scale/scale.ts";
import type { ServingOptions } from "./serving/serving.ts";
import { UsageError } from "./usage-error.ts";

const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};

const program = new Command("convkit-bench")
  .description("convkit, tfjs-node, Keras, PyTorch and ONNX Runtime side by side: same work, same machine, same run.")
  .version(version)
  .argument("[cases...]", "cases by prefix (train), name, or glob (*/lenet5-*); all of them for none")
  .addOption(new Option("--vs <peers>", `peers to compare with, of ${peerNames.join(", ")}`).argParser(parsePeers))
  .option("--quick", "the short list of cases, in less than five minutes")
  .option("--rounds <n>", "fresh processes of each system (default: 3, as far as --minutes allows)", parseCount)
  .option("--seconds <s>", "timed work of a system in a round of a case (default: 0.4)", parseNumber)
  .option(
    "--minutes <m>",
    "begin no further round of a case that would not end in this time (default: 55; none with --rounds)",
    parseNumber,
  )
  .option("--threads <n>", "threads of every system (default: one a core)", parseCount)
  .option("--json", "standard output is the result as JSON")
  .option("--out <folder>", "where the result is written (default: results)")
  .option("--resume <file>", "go on with an interrupted result (a JSON file): its cases are kept")
  .option("--check", "fail where the lead over tfjs-node eager falls under its committed floor")
  .option("--profile <file>", "write a Chrome trace of the compiled step of one case")
  .option("--roofline", "GFLOP/s of the compiled step against the machine's matmul peak")
  // Without it `compare a b --json` would be an option of the command itself.
  .enablePositionalOptions()
  .exitOverride()
  .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, "")) })
  .action(async (patterns: string[], options: RunOptions) =>
    (await import("./commands/run.ts")).run(patterns, options),
  );

program
  .command("setup")
  .description("make the Python peers' environment with pip")
  .action(async () => (await import("./commands/setup.ts")).setup());

program
  .command("serving [cases...]")
  .description("servers side by side: serve/<network>/<body>, images/s and latencies under load")
  .option("--rounds <n>", "measurements of each server (default: 3)", parseCount)
  .option("--seconds <s>", "of each measurement (default: 3)", parseNumber)
  .option("--connections <n>", "clients that ask at once (default: 8)", parseCount)
  .option("--threads <n>", "threads of every server's model (default: one a core)", parseCount)
  .option("--systems <names>", "these only, as convkit,litserve", (text) => text.split(","))
  .option(
    "--serve <options...>",
    "more options of convkit serve, as '--max-batch 8'; several texts are servers side by side",
  )
  .option("--json", "standard output is the result as JSON")
  .option("--out <file>", "also write the result as JSON")
  .action(async (patterns: string[], options: ServingOptions) =>
    (await import("./serving/serving.ts")).serving(patterns, options),
  );

program
  .command("scale")
  .description("scale/<network>: a training step of one process and of several workers, in systems side by side")
  .option("--workers <n>", "processes that share batch and threads (default: 2)", parseCount)
  .option("--batch <n>", "images of a step over all workers (default: 32)", parseCount)
  .option("--rounds <n>", "measurements of each system (default: 5)", parseCount)
  .option("--steps <n>", "of each measurement (default: 10)", parseCount)
  .option("--json", "standard output is the result as JSON")
  .option("--out <file>", "also write the result as JSON")
  .action(async (options: ScaleOptions) => (await import("./scale/scale.ts")).scale(options));

program
  .command("footprint [networks...]")
  .description("a process that predicts once: time from its start to the answer, memory, size on disk")
  .option("--rounds <n>", "processes of each system (default: 3)", parseCount)
  .option("--no-build", "take the packages as they were built last")
  .option("--systems <names>", "these only, as openvino,onnxruntime-node", (text) => text.split(","))
  .option("--json", "standard output is the result as JSON")
  .option("--out <file>", "also write the result as JSON")
  .action(async (networks: string[], options: FootprintOptions) =>
    (await import("./footprint/footprint.ts")).footprint(networks, options),
  );

program
  .command("pages")
  .description(
    "page/resnet18: one image on one thread of a web page, with ONNX Runtime Web and transformers.js in the same page",
  )
  .option("--rounds <n>", "turns of each system (default: 5)", parseCount)
  .option("--runs <n>", "answers of each turn (default: 10)", parseCount)
  .option("--no-build", "take the packages as they were built last")
  .option("--systems <names>", "these only, as convkit,onnxruntime-web", (text) => text.split(","))
  .option("--json", "standard output is the result as JSON")
  .option("--out <file>", "also write the result as JSON")
  .action(async (options: PagesOptions) => (await import("./pages/pages.ts")).pages(options));

program
  .command("list")
  .description("the cases and the systems that can do them")
  .option("--json", "standard output is the cases as JSON")
  .action(async (options: { json?: boolean }) => (await import("./commands/list.ts")).list(options));

program
  .command("compare <before> <after>")
  .description("what changed beyond noise between two results (JSON files)")
  .option("--json", "standard output is the changes as JSON")
  .action(async (before: string, after: string, options: { json?: boolean }) =>
    (await import("./commands/compare.ts")).compareFiles(before, after, options),
  );

program
  .command("readme")
  .description("write the newest full result into docs/benchmarks.md, and its chart into the README")
  .option("--result <file>", "this result instead (a JSON file)")
  .action(async (options: { result?: string }) => (await import("./commands/readme.ts")).readmeFile(options));

program
  .command("serve", { hidden: true })
  .description("be a measured system: JSON lines on standard input and output")
  .action(async () => (await import("./drivers/serve.ts")).serve());

program
  .command("scale-worker <request>", { hidden: true })
  .description("be a worker of scale")
  .action(async (request: string) => (await import("./scale/worker.ts")).scaleWorker(request));

try {
  await program.parseAsync();
  process.exit(process.exitCode ?? 0);
} catch (error) {
  process.exit(process.exitCode === 130 ? interrupted() : failed(error));
}

/** Later failures are caused by the interruption. */
function interrupted(): number {
  process.stderr.write("Interrupted; nothing more was kept.\n");
  return 130;
}

function failed(error: unknown): number {
  const { code, exitCode, message } = error as { code?: string; exitCode?: number; message: string };
  if (code?.startsWith("commander.")) return exitCode === 0 ? 0 : 2;
  process.stderr.write(`${message}\n`);
  return error instanceof UsageError ? 2 : 1;
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new InvalidArgumentError(`Expected a whole number from 1 on, got "${text}".`);
  return value;
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1e5)) throw new InvalidArgumentError(`Expected a number above 0, got "${text}".`);
  return value;
}

function parsePeers(text: string): PeerName[] {
  const names = text.split(",").filter(Boolean);
  for (const name of names) {
    if (!(peerNames as readonly string[]).includes(name))
      throw new InvalidArgumentError(`There is no peer "${name}"; the peers are ${peerNames.join(", ")}.`);
  }
  return names as PeerName[];
}
