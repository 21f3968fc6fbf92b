import { InvalidArgumentError } from "commander";

/** Reads a whole number that is at least `least`. */
export function wholeFrom(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least || text.trim() === "")
      throw new InvalidArgumentError(`It must be a whole number from ${least}.`);
    return value;
  };
}

/** Reads a number greater than zero. */
export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

/** Reads a number from zero. */
export function notNegative(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || text.trim() === "")
    throw new InvalidArgumentError("It must be a number from 0.");
  return value;
}

/** Reads a probability, a list of them such as 0.3,0.6, or `f1`. */
export function labelThresholds(text: string): number | readonly number[] | "f1" {
  if (text === "f1") return text;
  const shares = text.split(",").map((each) => (each.trim() === "" ? Number.NaN : Number(each)));
  if (shares.some((share) => !(share >= 0 && share <= 1)))
    throw new InvalidArgumentError("It must be a number from 0 to 1, a list of them, as in 0.3,0.6, or f1.");
  return shares.length === 1 ? shares[0]! : shares;
}

/** Reads a URL for POST requests. */
export function webAddress(text: string): string {
  if (!/^https?:/.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError("It must be a URL, as in https://example.org/hook.");
  return text;
}

/** A tracker's server. */
export interface TrackerServer {
  readonly kind: "mlflow" | "trackio";
  readonly url: string;
}

/** Reads the address of a tracker's server from `mlflow=http://…` or `trackio=http://…`. */
export function trackerServer(text: string): TrackerServer {
  const [, kind, url] = /^(mlflow|trackio)=(https?:.+)$/.exec(text) ?? [];
  if (url === undefined || !URL.canParse(url))
    throw new InvalidArgumentError("It must be mlflow or trackio and a URL, as in mlflow=http://localhost:5000.");
  return { kind: kind as TrackerServer["kind"], url };
}

/** Reads an image size such as 224x224x3. */
export function imageSize(text: string): [number, number, number] {
  const sizes = text.split("x").map(Number);
  if (sizes.length !== 3 || sizes.some((size) => !Number.isSafeInteger(size) || size < 1))
    throw new InvalidArgumentError("It must be height, width and channels, as in 224x224x3.");
  return sizes as [number, number, number];
}

/** Reads a size such as 180x180. */
export function pixelSize(text: string): [number, number] {
  const sizes = text.split("x").map(Number);
  if (sizes.length !== 2 || sizes.some((size) => !Number.isSafeInteger(size) || size < 1))
    throw new InvalidArgumentError("It must be height and width, as in 180x180.");
  return sizes as [number, number];
}
