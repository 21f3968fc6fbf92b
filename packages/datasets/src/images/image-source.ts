/** A part of a file that is an encoded image. */
export interface FileSpan {
  readonly file: string;
  /** Offset and length in bytes. */
  readonly start: number;
  readonly length: number;
  /** What messages call the image. */
  readonly name: string;
  readonly isJpeg: boolean;
}

/** An encoded image in memory. */
export interface NamedBytes {
  readonly bytes: Uint8Array;
  /** What messages call the image. */
  readonly name: string;
}

/** An encoded image that a page was given, or that lies at an address. */
export interface NamedContent {
  readonly content: Blob | URL;
  /** What messages call the image. */
  readonly name: string;
}

/** An image file (in a web page an address), a part of a file, bytes, or what a page was given. */
export type ImageSource = string | FileSpan | NamedBytes | NamedContent;

/** A file's source: what `contents` hold under its name, or the file itself. */
export function sourceIn(contents: ReadonlyMap<string, Blob | URL> | undefined, file: string): ImageSource {
  const content = contents?.get(file);
  return content === undefined ? file : { content, name: file };
}

/** What messages call the image. */
export function nameOf(source: ImageSource): string {
  return typeof source === "string" ? source : source.name;
}

/** An image that the pool's threads can read. */
export type PoolSource = Exclude<ImageSource, NamedContent>;

/** True if the pool's threads should try the image first. */
export function isJpeg(source: ImageSource): source is PoolSource {
  if (typeof source === "string") return /\.(?:jpe?g|jfif)$/i.test(source);
  if ("content" in source) return false;
  return "bytes" in source ? source.bytes[0] === 0xff && source.bytes[1] === 0xd8 : source.isJpeg;
}
