import { dirname } from "node:path";
import type { Case } from "../cases/cases.ts";
import { Driver, driverCommand } from "../measure/driver-process.ts";
import { networks } from "../cases/networks.ts";
import { request } from "../measure/request.ts";
import { prepareFolder } from "../results/files.ts";
import { formatNumber } from "../results/table.ts";
import { UsageError } from "../usage-error.ts";

/** The number of op kinds to print; the file has all. */
const printed = 12;

/**
 * The `--profile` option: writes a Chrome trace of one compiled step or prediction and prints where its time went.
 * Throws unless exactly one case is chosen and convkit compiles it.
 */
export async function profile(
  chosen: readonly Case[],
  file: string,
  { threads, signal }: { readonly threads: number; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const compiled = chosen.filter(
    ({ work, reading }) => reading === "times" && (work.do === "train" || work.do === "predict"),
  );
  const [one, ...others] = compiled;
  if (one === undefined || others.length > 0)
    throw new UsageError(
      `--profile is of one training or prediction case, and ${compiled.length} were chosen: name one (see \`convkit-bench list\`).`,
    );
  const { work } = one;
  prepareFolder(dirname(file));
  const driver = new Driver(driverCommand("convkit", undefined)!, { signal });
  try {
    const { precision, device } = work;
    await driver.ask(
      { system: "convkit", variant: "compiled", threads: work.threads ?? threads, precision, device },
      120,
    );
    const network = { name: work.network, ...networks[work.network] };
    await driver.ask(request(work, { network, batch: work.batch, count: 1 }), 600);
    await driver.ask({ do: "measure", seconds: 0.2, count: 1 }, 600);
    const { ops = [], profile: summary } = await driver.ask({ do: "profile", file }, 600);
    const total = ops.reduce((sum, { ms }) => sum + ms, 0);
    const idle =
      summary === undefined
        ? ""
        : `; no op ran in ${Math.round(summary.idle * 100)} % of ${formatNumber(summary.wallMs)} ms`;
    const lines = ops
      .slice(0, printed)
      .map(
        ({ op, count, ms }) =>
          `${formatNumber(ms).padStart(7)} ms  ${((100 * ms) / total).toFixed(0).padStart(3)} %  ${String(count).padStart(5)} x ${op}`,
      );
    process.stdout.write(
      `${one.name}: ${formatNumber(total)} ms of op time, over all threads${idle}\n${lines.join("\n")}\n`,
    );
    process.stderr.write(`Wrote ${file}: open it in chrome://tracing or https://ui.perfetto.dev.\n`);
  } finally {
    await driver.close();
  }
}
