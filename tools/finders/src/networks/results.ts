import { readJson, withLock, writeFileAtomic } from "@convkit/files";
import { fileURLToPath } from "node:url";

/**
 * What came of a network of another library: its file loads to its own numbers (`equal`) or to others (`other`), is refused
 * because its name says that it is of another network (`told`), or is refused because weights differ (`refused`); there is no network of ours with its
 * kernels (`none`), or there is one and the numbers were not compared (`alike`).
 */
export type State = "equal" | "other" | "told" | "refused" | "none" | "alike";

export interface Result {
  readonly family: string;
  readonly state: State;
  /** The networks of ours with the same kernels; missing for Keras, whose files hold their networks. */
  readonly rivals?: readonly string[];
  /** The network of ours that this came of. */
  readonly ours?: string;
  /** The largest difference as a share of the largest logit, or why the file is refused. */
  readonly detail?: string | number;
}

export type Results = Record<string, Result>;

/** The files of the results: what came of each network, and the page that counts them. */
const ownFiles = {
  file: fileURLToPath(new URL("../../results/networks.json", import.meta.url)),
  page: fileURLToPath(new URL("../../../../docs/networks.md", import.meta.url)),
};

export async function readResults(file = ownFiles.file): Promise<Results> {
  return (await readJson(file)) as unknown as Results;
}

/**
 * Writes results beside those that are there, and the page that counts all. Campaigns may run at once: a lock beside the file lets
 * one after another read and write.
 */
export async function writeResults(results: Results, { file, page } = ownFiles): Promise<void> {
  await withLock(`${file}.lock`, async () => {
    const sorted = Object.entries({ ...(await readResults(file)), ...results }).toSorted(([a], [b]) =>
      a.localeCompare(b, "en", { numeric: true }),
    );
    const rows = sorted.map(([network, result]) => `${JSON.stringify(network)}: ${JSON.stringify(result)}`);
    await writeFileAtomic(file, `{\n${rows.join(",\n")}\n}\n`);
    await writeFileAtomic(page, networksPage(Object.fromEntries(sorted)));
  });
}

const libraries = [
  ["keras", "keras.applications of Keras 3, each by its own .keras file"],
  ["tf_keras", "keras.applications of Keras 2 (tf_keras), each by its own .h5 file"],
  ["torchvision", "torchvision's networks for classes that consist of convolutions, by their states"],
  ["timm", "timm's networks that consist of convolutions, by their states"],
  ["torchvision-onnx", "The same networks of torchvision by the .onnx files that PyTorch's exporter writes of them"],
] as const;

/** The page of the counts, library by library and family by family. */
function networksPage(results: Results): string {
  const parts = libraries.map(([library, what]) => {
    const own = Object.entries(results).filter(([network]) => network.startsWith(`${library}:`));
    const families = [...new Set(own.map(([, { family }]) => family))].toSorted((a, b) => a.localeCompare(b, "en"));
    const rows = families.map((family) =>
      row(
        family,
        own.filter(([, result]) => result.family === family),
      ),
    );
    return `## ${library}\n\n${what}.\n\n${[head, rule, ...rows, row("**all**", own)].join("\n")}`;
  });
  return `${[intro, ...parts, others(results)].join("\n\n")}\n`;
}

const columns = ["equal", "told", "other", "refused", "alike", "none"] as const;
const head =
  "| family | networks | equal | refused by name | other numbers | refused | not compared | no such network |";
const rule = "|---|---|---|---|---|---|---|---|";
const intro = `# Networks of other libraries

<!-- Written by \`pnpm find:networks\`. -->

How many networks of other libraries load here with their own numbers: random weights, logits of images that are not square, within
1e-4 of the largest logit. Batch norms have the statistics of the images, and two images must give other logits: with statistics that
are drawn, too, the logits of a deep network hardly depend on the image, and wrong layers would pass. A state of PyTorch is loaded into the network of the zoo with the same kernels; "no such network" means that the zoo
has none. "Refused by name": another network has the same names and shapes of weights and computes otherwise, and the file's name, its
metadata or timm's \`config.json\` beside it says which it is. "Not compared": the zoo has a network with the same kernels, and its numbers
were not compared yet.`;

function row(family: string, own: readonly (readonly [string, Result])[]): string {
  const counts = columns.map((state) => own.filter(([, result]) => result.state === state).length);
  return `| ${[family, own.length, ...counts.map((count) => (count === 0 ? "" : count))].join(" | ")} |`;
}

function others(results: Results): string {
  const wrong = Object.entries(results).filter(([, { state }]) => state === "other" || state === "refused");
  if (wrong.length === 0) return "Of the files that were compared, none loads to other numbers than its own.";
  const lines = wrong.map(
    ([network, { state, ours, detail }]) => `- \`${network}\`: ${state}, ${ours ?? ""} ${detail ?? ""}`,
  );
  return `## Other numbers, or refused\n\n${lines.join("\n")}`;
}
