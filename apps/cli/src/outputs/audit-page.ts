import { join } from "node:path";
import type { Audit, AuditDoubles, AuditFinding, AuditProblem } from "@convkit/datasets";
import { grid, html, page, section, tableOf, tiles, trusted, type Html } from "@convkit/report/internal";
import sharp from "sharp";
import type { DoubtfulLabel } from "../inference/doubtful-labels.ts";
import { grouped } from "../terminal/format.ts";

const style = trusted(`<style>
.shots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(150px, 45%), 1fr)); gap: 14px; }
.shots figure, .group figure { margin: 0; min-width: 0; }
.shots img, .group img { width: 100%; height: 120px; object-fit: contain; background: #8882; border-radius: 6px; }
.shots figcaption, .group figcaption { font-size: 12px; overflow-wrap: anywhere; }
.group { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(130px, 45%), 1fr)); gap: 10px; padding: 10px 0; border-top: 1px solid #8884; }
.group p { grid-column: 1 / -1; margin: 0; font-size: 13px; }
.missing { display: grid; place-items: center; height: 120px; border-radius: 6px; background: #8882; font-size: 12px; }
header p, td { overflow-wrap: anywhere; }
</style>`);

const notes: Readonly<Record<AuditProblem, string>> = {
  unreadable: "A training leaves these out.",
  "wrong extension": "They are read by their content; other programs may go by the name.",
  dark: "By their mean gray level.",
  overexposed: "By their mean gray level.",
  blurred: "By the variance of the Laplacian, which also is low for smooth pictures.",
  "low contrast": "By the standard deviation of the gray levels.",
  "odd size": "Far from the median area, or three times as long as wide.",
};

/** What an audit found, as one page with small pictures; it loads nothing. */
export async function auditPage(
  audit: Audit,
  { labels, pictures }: { readonly labels: readonly DoubtfulLabel[] | undefined; readonly pictures: number },
): Promise<string> {
  const { folder, images, classes, findings, doubles } = audit;
  const sections: Html[] = [countsSection(classes)];
  if (labels !== undefined && labels.length > 0) {
    const figures = labels
      .slice(0, pictures)
      .map(({ file, label, predicted, probability }) =>
        shot(
          folder,
          file,
          html`${label}, probably <b>${predicted}</b><br /><small
              >probability of ${label}: ${probability.toFixed(3)}</small
            >`,
        ),
      );
    sections.push(
      section(title("Labels that are probably wrong", labels.length, pictures), shots(await Promise.all(figures)), {
        wide: true,
        note: "Confident learning, the least probable first. Northcutt et al. 2021.",
      }),
    );
  }
  sections.push(...(await doublesSections(folder, doubles, pictures)));
  for (const problem of Object.keys(notes) as AuditProblem[]) {
    const found = findings.filter((each) => each.problem === problem);
    if (found.length > 0) sections.push(await problemSection(folder, problem, { found, pictures }));
  }
  const head = tiles([
    [grouped(images), "images"],
    [grouped(findings.length), "findings"],
    [grouped(doubles.length), "groups of doubles"],
    [grouped(doubles.filter(({ isLeak }) => isLeak).length), "of them in more than one split"],
  ]);
  return page("Audit of images", folder, [style, head, grid(sections)]);
}

function countsSection(classes: Audit["classes"]): Html {
  const splits = Object.keys(classes);
  const names = [...new Set(Object.values(classes).flatMap((of) => Object.keys(of)))];
  const rows = names.map((name) => [name, ...splits.map((split) => grouped(classes[split]![name] ?? 0))]);
  return section("Images of each class", tableOf(["class", ...splits], rows));
}

async function problemSection(
  folder: string,
  problem: AuditProblem,
  { found, pictures }: { readonly found: readonly AuditFinding[]; readonly pictures: number },
): Promise<Html> {
  const figures = found
    .slice(0, pictures)
    .map(({ file, detail }) => shot(folder, file, html`<small>${detail}</small>`));
  const heading = problem[0]!.toUpperCase() + problem.slice(1);
  return section(title(heading, found.length, pictures), shots(await Promise.all(figures)), {
    wide: true,
    note: notes[problem],
  });
}

async function doublesSections(folder: string, doubles: readonly AuditDoubles[], pictures: number): Promise<Html[]> {
  const kinds = [
    ["Doubles in more than one split", (each: AuditDoubles) => each.isLeak],
    ["Doubles with the same bytes", (each: AuditDoubles) => !each.isLeak && each.kind === "exact"],
    ["Pictures that look alike", (each: AuditDoubles) => !each.isLeak && each.kind === "near"],
  ] as const;
  const made: Html[] = [];
  for (const [heading, isOfKind] of kinds) {
    const groups = doubles.filter(isOfKind);
    if (groups.length === 0) continue;
    const shown = await Promise.all(groups.slice(0, pictures).map((group) => groupOf(folder, group)));
    made.push(section(title(heading, groups.length, pictures), html`${shown}`, { wide: true }));
  }
  return made;
}

async function groupOf(folder: string, { kind, files, isLeak, isContradiction }: AuditDoubles): Promise<Html> {
  const words = [
    kind === "exact" ? "the same bytes" : "alike",
    ...(isLeak ? ["in more than one split"] : []),
    ...(isContradiction ? ["in more than one class"] : []),
    ...(files.length > 6 ? [`6 of ${files.length} shown`] : []),
  ];
  const figures = await Promise.all(files.slice(0, 6).map((file) => shot(folder, file, html``)));
  return html`<div class="group">
    <p>${words.join(", ")}</p>
    ${figures}
  </div>`;
}

function title(heading: string, count: number, pictures: number): string {
  return count > pictures ? `${heading}: ${grouped(count)}, ${pictures} shown` : `${heading}: ${grouped(count)}`;
}

function shots(figures: readonly Html[]): Html {
  return html`<div class="shots">${figures}</div>`;
}

async function shot(folder: string, file: string, caption: Html): Promise<Html> {
  const picture = await thumbnail(join(folder, file));
  const shown =
    picture === undefined
      ? html`<div class="missing">no picture</div>`
      : html`<img src="${picture}" alt="${file}" loading="lazy" />`;
  return html`<figure>
    ${shown}
    <figcaption>${file}<br />${caption}</figcaption>
  </figure>`;
}

/** A small JPEG as an address; undefined if the file cannot be decoded. */
async function thumbnail(file: string): Promise<string | undefined> {
  const { decodeImage } = await import("@convkit/datasets");
  try {
    const { data, shape } = await decodeImage(file);
    const [height, width, channels] = shape;
    const small = await sharp(data, { raw: { height, width, channels: channels as 1 | 3 } })
      .resize({ width: 240, height: 240, fit: "inside", withoutEnlargement: true })
      .jpeg({ quality: 80 })
      .toBuffer();
    return `data:image/jpeg;base64,${small.toString("base64")}`;
  } catch {
    return undefined;
  }
}
