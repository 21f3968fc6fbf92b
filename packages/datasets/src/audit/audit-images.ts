import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { extname, relative, resolve } from "node:path";
import type { OptionNames } from "@convkit/errors";
import pMap from "p-map";
import { DataError } from "../data-error.ts";
import { filesByClass, splitFoldersOf } from "../folders/class-folders.ts";
import { diskTree } from "../folders/disk-tree.ts";
import { decodeImage } from "../images/decode.ts";
import { decodingFailure } from "../images/decoding-failure.ts";
import { checkNames } from "../images/decode-options.ts";
import { type ImageFormat, imageFormat } from "../images/image-format.ts";
import { type ImageMeasures, measureImage } from "./image-measures.ts";
import { groupsOf, nearPairs } from "./near-doubles.ts";

export interface AuditOptions {
  /** Mean gray level (0 to 255) below which an image is dark; 30 by default. */
  readonly dark?: number | undefined;
  /** Mean gray level above which an image is overexposed; 225 by default. */
  readonly bright?: number | undefined;
  /** Standard deviation of the gray levels below which an image has low contrast; 12 by default. */
  readonly contrast?: number | undefined;
  /** Variance of the Laplacian below which an image is blurred; 50 by default. It depends on the size of the images. */
  readonly sharpness?: number | undefined;
  /** The most different bits, of 128, of two images that are near doubles; 8 by default. */
  readonly distance?: number | undefined;
  /** The most pixels that an image may declare; 89,478,485 by default. */
  readonly pixelLimit?: number | undefined;
  /** Called with the number of images read so far and of all; none by default. */
  readonly onProgress?: ((read: number, all: number) => void) | undefined;
  /** Ends the audit with the signal's reason; none by default. */
  readonly signal?: AbortSignal | undefined;
}

const optionNames: OptionNames<AuditOptions> = {
  dark: true,
  bright: true,
  contrast: true,
  sharpness: true,
  distance: true,
  pixelLimit: true,
  onProgress: true,
  signal: true,
};

/** What may be wrong with a single image. */
export type AuditProblem =
  | "unreadable"
  | "wrong extension"
  | "dark"
  | "overexposed"
  | "blurred"
  | "low contrast"
  | "odd size";

/** Something that may be wrong with an image. */
export interface AuditFinding {
  readonly problem: AuditProblem;
  /** The file, relative to the folder. */
  readonly file: string;
  /** The measured value in words. */
  readonly detail: string;
}

/** Images that show the same. */
export interface AuditDoubles {
  /** `exact`: the same bytes. `near`: pictures that look alike. */
  readonly kind: "exact" | "near";
  /** The files, relative to the folder. */
  readonly files: readonly string[];
  /** True if they are in more than one split: a model is then tested on what it was trained on. */
  readonly isLeak: boolean;
  /** True if they are in more than one class. */
  readonly isContradiction: boolean;
}

/** What `auditImages` found. */
export interface Audit {
  readonly folder: string;
  readonly images: number;
  /** Number of images by split and class; one split named `all` if the folder has none. */
  readonly classes: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly findings: readonly AuditFinding[];
  readonly doubles: readonly AuditDoubles[];
}

interface AuditedFile {
  readonly path: string;
  readonly file: string;
  readonly split: string;
  readonly className: string;
}

interface Seen extends AuditedFile {
  readonly hash: string;
  readonly format: ImageFormat | undefined;
  readonly measures?: ImageMeasures | undefined;
  readonly failure?: string | undefined;
}

/**
 * Looks at every image of a folder of classes, with splits or without: unreadable files, wrong extensions, dark,
 * overexposed, blurred and flat pictures, odd sizes, exact and near doubles within and across splits, and the number of
 * images of each class. Nothing is changed. Throws a DataError for a folder without images of classes.
 */
export async function auditImages(folder: string, options: AuditOptions = {}): Promise<Audit> {
  checkNames("auditImages", options, optionNames);
  const { dark = 30, bright = 225, contrast = 12, sharpness = 50, distance = 8 } = options;
  for (const [name, value] of Object.entries({ dark, bright, contrast, sharpness }))
    if (!(Number.isFinite(value) && value >= 0))
      throw new DataError(`auditImages: ${name} should be a number from 0, not ${value}`);
  if (!Number.isInteger(distance) || distance < 0 || distance > 32)
    throw new DataError(`auditImages: distance should be a whole number from 0 to 32, not ${distance}`);
  const { files, classes, others } = listFiles(folder);
  let read = 0;
  const seen = await pMap(
    files,
    async (file): Promise<Seen> => {
      options.signal?.throwIfAborted();
      const looked = await look(file, options);
      options.onProgress?.(++read, files.length);
      return looked;
    },
    { concurrency: Math.max(2, availableParallelism()) },
  );
  const limits = { dark, bright, contrast, sharpness };
  const findings = [...others, ...seen.flatMap((each) => problemsOf(each, limits)), ...oddSizes(seen)];
  return {
    folder: resolve(folder),
    images: files.length,
    classes,
    findings,
    doubles: doublesOf(seen, distance, contrast),
  };
}

function listFiles(folder: string): { files: AuditedFile[]; classes: Audit["classes"]; others: AuditFinding[] } {
  const splits = Object.entries(splitFoldersOf(diskTree, folder) ?? { all: folder });
  const files: AuditedFile[] = [];
  const others: AuditFinding[] = [];
  const classes: Record<string, Record<string, number>> = {};
  for (const [split, path] of splits) {
    const found = filesByClass(diskTree, path);
    classes[split] = Object.fromEntries([...found.classes].map(([name, list]) => [name, list.length]));
    for (const [name, list] of found.classes)
      for (const each of list) files.push({ path: each, file: relative(folder, each), split, className: name });
    for (const { file, reason } of found.leftOut)
      others.push({ problem: "unreadable", file: relative(folder, file), detail: reason });
  }
  return { files, classes, others };
}

async function look(file: AuditedFile, { pixelLimit }: AuditOptions): Promise<Seen> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file.path);
  } catch (error) {
    return { ...file, hash: "", format: undefined, failure: decodingFailure(error) };
  }
  const hash = createHash("sha256").update(bytes).digest("hex");
  const format = imageFormat(bytes);
  try {
    return { ...file, hash, format, measures: measureImage(await decodeImage(bytes, { pixelLimit })) };
  } catch (error) {
    return { ...file, hash, format, failure: decodingFailure(error) };
  }
}

const extensions: Readonly<Record<ImageFormat, readonly string[]>> = {
  jpeg: [".jpg", ".jpeg", ".jfif"],
  png: [".png"],
  webp: [".webp"],
  avif: [".avif"],
  gif: [".gif"],
  tiff: [".tif", ".tiff"],
  bmp: [".bmp", ".dib"],
};

type Limits = Required<Pick<AuditOptions, "dark" | "bright" | "contrast" | "sharpness">>;

function problemsOf(
  { file, format, measures, failure }: Seen,
  limits: { [Key in keyof Limits]: number },
): AuditFinding[] {
  const found: AuditFinding[] = [];
  const tell = (problem: AuditProblem, detail: string) => void found.push({ problem, file, detail });
  if (failure !== undefined) tell("unreadable", failure);
  const extension = extname(file).toLowerCase();
  if (format !== undefined && !extensions[format].includes(extension))
    tell("wrong extension", `it is ${format.toUpperCase()}, and its name ends in "${extension}"`);
  if (measures === undefined) return found;
  const { brightness, contrast, sharpness } = measures;
  if (brightness < limits.dark) tell("dark", `mean gray level ${brightness.toFixed(1)} of 255`);
  if (brightness > limits.bright) tell("overexposed", `mean gray level ${brightness.toFixed(1)} of 255`);
  if (contrast < limits.contrast) tell("low contrast", `standard deviation ${contrast.toFixed(1)} of the gray levels`);
  if (sharpness < limits.sharpness) tell("blurred", `variance of the Laplacian ${sharpness.toFixed(1)}`);
  return found;
}

/** Images whose area is a tenth of the median or ten times as large, or whose sides are 3:1 or longer. */
function oddSizes(seen: readonly Seen[]): AuditFinding[] {
  const areas = seen
    .flatMap(({ measures }) => (measures ? [measures.height * measures.width] : []))
    .toSorted((a, b) => a - b);
  const median = areas[Math.floor(areas.length / 2)] ?? 1;
  return seen.flatMap(({ file, measures }) => {
    if (measures === undefined) return [];
    const { height, width } = measures;
    const share = (height * width) / median;
    const isLong = Math.max(height / width, width / height) >= 3;
    if (!isLong && share > 0.1 && share < 10) return [];
    return [
      { problem: "odd size" as const, file, detail: `${height}x${width}, ${share.toFixed(2)} times the median area` },
    ];
  });
}

/** Pictures of nearly one gray level look alike to the hash whatever they show, so that they are no near doubles. */
function doublesOf(seen: readonly Seen[], distance: number, contrast: number): AuditDoubles[] {
  const byHash = new Map<string, Seen[]>();
  for (const each of seen) if (each.hash !== "") byHash.set(each.hash, [...(byHash.get(each.hash) ?? []), each]);
  const exact = [...byHash.values()].filter((group) => group.length > 1).map((group) => doubles("exact", group));
  const firsts = [...byHash.values()]
    .map(([first]) => first!)
    .filter(({ measures }) => (measures?.contrast ?? 0) >= contrast);
  const pairs = nearPairs(
    firsts.map(({ measures }) => measures!.hash),
    distance,
  );
  const near = groupsOf(pairs).map((group) =>
    doubles(
      "near",
      group.flatMap((place) => byHash.get(firsts[place]!.hash)!),
    ),
  );
  return [...exact, ...near];
}

function doubles(kind: AuditDoubles["kind"], group: readonly Seen[]): AuditDoubles {
  const differ = (key: "split" | "className") => new Set(group.map((each) => each[key])).size > 1;
  return { kind, files: group.map(({ file }) => file), isLeak: differ("split"), isContradiction: differ("className") };
}
