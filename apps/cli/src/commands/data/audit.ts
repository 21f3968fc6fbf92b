import type { Audit, AuditFinding } from "@convkit/datasets";
import type { Context } from "../../terminal/context.ts";
import { grouped } from "../../terminal/format.ts";
import { fromZero, text, type ValuesOf, whole } from "../../terminal/option.ts";
import { checkHtmlName } from "../../outputs/html-name.ts";
import { userPath } from "../../inputs/user-path.ts";
import type { DoubtfulLabel } from "../../inference/doubtful-labels.ts";

export const options = {
  out: text("<file.html>", "writes a page with the pictures"),
  csv: text("<file>", "writes each finding as a row of CSV"),
  model: text(
    "<model>",
    "also finds labels that are probably wrong by this model, best one that trained on other images",
  ),
  pictures: whole(1, "<n>", "pictures of each kind on the page (default: 24)"),
  dark: fromZero("<level>", "mean gray level below which an image is dark (default: 30)"),
  bright: fromZero("<level>", "mean gray level above which an image is overexposed (default: 225)"),
  contrast: fromZero("<level>", "standard deviation of gray below which contrast is low (default: 12)"),
  sharpness: fromZero("<value>", "variance of the Laplacian below which an image is blurred (default: 50)"),
  distance: whole(0, "<bits>", "most different bits of 128 of near doubles (default: 8)"),
};

/** `convkit data audit`: what may be wrong with the images of a folder. */
export async function run(context: Context, given: ValuesOf<typeof options>, folder: string): Promise<void> {
  const { out, csv, model, pictures = 24, ...limits } = given;
  if (out !== undefined) checkHtmlName(out);
  const { auditImages } = await import("@convkit/datasets");
  const { countingBar } = await import("../../terminal/progress.ts");
  let bar: ReturnType<typeof countingBar> | undefined;
  const audit = await auditImages(userPath(folder), {
    ...limits,
    signal: context.signal,
    onProgress(read, all) {
      bar ??= countingBar(context.out, all, "images");
      bar.update(read);
    },
  }).finally(() => bar?.stop());
  const labels = model === undefined ? undefined : await doubtful(context, folder, model);
  if (out !== undefined) {
    const { writeFileAtomic } = await import("@convkit/files");
    const { auditPage } = await import("../../outputs/audit-page.ts");
    await writeFileAtomic(userPath(out), await auditPage(audit, { labels, pictures }));
  }
  if (csv !== undefined) await writeCsv(userPath(csv), audit, labels);
  context.out.result(
    { ...audit, ...(labels && { labels }) },
    [...lines(audit, labels), ...[out, csv].flatMap((file) => (file === undefined ? [] : [file]))].join("\n"),
  );
}

async function doubtful(context: Context, folder: string, model: string): Promise<readonly DoubtfulLabel[]> {
  const { doubtfulLabels } = await import("../../inference/doubtful-labels.ts");
  return doubtfulLabels(context, { data: folder, model });
}

async function writeCsv(path: string, audit: Audit, labels: readonly DoubtfulLabel[] = []): Promise<void> {
  const { openCsv } = await import("../../outputs/csv-file.ts");
  const rows = await openCsv(path, ["problem", "file", "detail"]);
  try {
    await rows.add(audit.findings.map(({ problem, file, detail }) => [problem, file, detail]));
    await rows.add(
      audit.doubles.flatMap(({ kind, files }) =>
        files.map((file) => [`${kind} double`, file, files.filter((other) => other !== file).join("; ")]),
      ),
    );
    await rows.add(
      labels.map(({ file, label, predicted, probability }) => [
        "label",
        file,
        `${label} has the probability ${probability.toFixed(4)}; probably ${predicted}`,
      ]),
    );
    await rows.done();
  } finally {
    await rows.close();
  }
}

function lines({ folder, images, classes, findings, doubles }: Audit, labels?: readonly DoubtfulLabel[]): string[] {
  const counts = Object.entries(classes).map(
    ([split, of]) =>
      `${split}: ${Object.entries(of)
        .map(([name, count]) => `${name} ${grouped(count)}`)
        .join(", ")}`,
  );
  const problems = grouping(findings);
  const leaks = doubles.filter(({ isLeak }) => isLeak).length;
  const contradictions = doubles.filter(({ isContradiction }) => isContradiction).length;
  const found = [
    ...[...problems].map(([problem, those]) => `${problem}: ${grouped(those.length)}, such as ${those[0]!.file}`),
    ...(["exact", "near"] as const).flatMap((kind) => {
      const groups = doubles.filter((each) => each.kind === kind);
      return groups.length === 0
        ? []
        : [`${kind} doubles: ${grouped(groups.length)} groups, such as ${groups[0]!.files.join(" and ")}`];
    }),
    ...(leaks === 0
      ? []
      : [`in more than one split: ${grouped(leaks)} groups of doubles, on which a test means nothing`]),
    ...(contradictions === 0 ? [] : [`in more than one class: ${grouped(contradictions)} groups of doubles`]),
    ...(labels === undefined || labels.length === 0
      ? []
      : [
          `labels that are probably wrong: ${grouped(labels.length)}, first ${labels[0]!.file} (${labels[0]!.label}, probably ${labels[0]!.predicted})`,
        ]),
  ];
  return [`${folder}: ${grouped(images)} images`, ...counts, ...(found.length === 0 ? ["nothing found"] : found)];
}

function grouping(findings: readonly AuditFinding[]): ReadonlyMap<string, readonly AuditFinding[]> {
  const groups = new Map<string, AuditFinding[]>();
  for (const finding of findings) groups.set(finding.problem, [...(groups.get(finding.problem) ?? []), finding]);
  return groups;
}
