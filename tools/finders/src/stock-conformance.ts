import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/**
 * Runs tfjs-core's own specs on the native engine with and without our kernels, and prints the specs that fail with them alone; exits with 1
 * if there are any. `node --import tsx src/stock-conformance.ts [<pattern>]`
 */
interface Outcome {
  readonly passed: number;
  readonly failures: readonly { readonly name: string; readonly message: string }[];
}

async function outcome(engine: string): Promise<Outcome> {
  const program = fileURLToPath(new URL("conformance.ts", import.meta.url));
  const line = [...process.execArgv, program, engine, ...process.argv.slice(2)];
  const { stdout } = await promisify(execFile)(process.execPath, line, { maxBuffer: 1 << 28 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as Outcome;
}

const stock = await outcome("stock");
const ours = await outcome("native");
const failed = new Set(stock.failures.map(({ name }) => name));
const worse = ours.failures.filter(({ name }) => !failed.has(name));
const text = [
  `${stock.passed} specs pass with tfjs-node's own kernels, ${ours.passed} with ours; ${worse.length} pass with tfjs-node's alone:`,
  ...worse.map(({ name, message }) => `${name}\n    ${message}`),
];
process.stdout.write(`${text.join("\n")}\n`);
process.exitCode = worse.length === 0 ? 0 : 1;
