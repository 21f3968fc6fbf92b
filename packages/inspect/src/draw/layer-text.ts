type Config = Readonly<Record<string, unknown>>;

/** Sizes without the batch axis: `56x56x64`; `?` where a size is not known. */
function shapeText(shape: readonly (number | null)[]): string {
  const sizes = shape.slice(1).map((size) => size ?? "?");
  return sizes.length === 0 ? "1" : sizes.join("×");
}

/** Sizes, and the type where it is another than float32: `128 int32`. */
export function tensorText(shape: readonly (number | null)[], dtype: string): string {
  return dtype === "float32" ? shapeText(shape) : `${shapeText(shape)} ${dtype}`;
}

/** What a layer computes in one line: its class, window, filters or units, stride, padding and activation. */
export function layerText(className: string, config: Config): string {
  const title = className.slice(className.lastIndexOf(">") + 1);
  if (title === "Activation") return named(config["activation"]) || title;
  if (title === "ReLU" && config["maxValue"] === 6) return "ReLU6";
  if (title === "Operation") return named(config["op"]) || title;
  const window = sizes(config["kernelSize"] ?? config["poolSize"] ?? config["size"]);
  const filters = config["filters"] ?? config["units"];
  const strides = sizes(config["strides"] ?? (config["kernelSize"] === undefined ? config["poolSize"] : undefined));
  const dilation = sizes(config["dilationRate"]);
  const groups = config["groups"];
  const activation = named(config["activation"]);
  const details = [
    ...(typeof filters === "number" ? [String(filters)] : []),
    ...(allOnes(strides) ? [] : [`stride ${oneSide(strides)}`]),
    ...(allOnes(dilation) ? [] : [`dilation ${oneSide(dilation)}`]),
    ...(typeof groups === "number" && groups > 1 ? [`${groups} groups`] : []),
    ...(config["padding"] === "same" && !allOnes(window) ? ["same"] : []),
    ...(typeof config["rate"] === "number" ? [String(Number(config["rate"].toFixed(3)))] : []),
    ...(activation === "" || activation === "linear" ? [] : [activation]),
    ...(/^ZeroPadding|^Cropping/.test(title) ? [sideText(config["padding"] ?? config["cropping"])] : []),
  ];
  return [window === "" ? title : `${title} ${window}`, ...details].join(", ");
}

function named(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** `3x3`, or an empty text if there is none. */
function sizes(value: unknown): string {
  if (typeof value === "number") return String(value);
  return Array.isArray(value) ? value.join("×") : "";
}

function allOnes(text: string): boolean {
  return text.split("×").every((size) => size === "" || size === "1");
}

/** `3` for `3×3`. */
function oneSide(text: string): string {
  const [first, ...rest] = text.split("×");
  return rest.every((size) => size === first) ? (first as string) : text;
}

/** Pixels on each side: `3` if they are equal, else `1,2 / 0,1`: top, bottom, left, right. */
function sideText(value: unknown): string {
  const flat = [value].flat(2);
  if (flat.every((each) => each === flat[0])) return String(flat[0]);
  return Array.isArray(value) ? value.map(String).join(" / ") : "";
}
