import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder that is gone when the test is over. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "convkit-datasets-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a file, and its folder where that is missing; returns its path. */
export function put(folder: string, name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

/** The bytes of an IDX file of bytes. */
export function idxBytes(shape: readonly number[], data: ArrayLike<number>): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  for (const [side, size] of shape.entries()) header.setUint32(4 + 4 * side, size);
  return Uint8Array.from([...new Uint8Array(header.buffer), ...Array.from(data)]);
}

/** A folder with four small IDX files named as MNIST's: `train` and `test` images of 2x3. */
export function idxFolder({
  train = 5,
  test = 2,
  labels = train,
}: { train?: number; test?: number; labels?: number } = {}): string {
  const folder = temporaryFolder();
  const ramp = (length: number) => Array.from({ length }, (_, index) => index % 256);
  put(folder, "train-images-idx3-ubyte", idxBytes([train, 2, 3], ramp(train * 6)));
  put(
    folder,
    "train-labels-idx1-ubyte",
    idxBytes(
      [labels],
      ramp(labels).map((label) => label % 3),
    ),
  );
  put(folder, "t10k-images-idx3-ubyte", idxBytes([test, 2, 3], ramp(test * 6)));
  put(
    folder,
    "t10k-labels-idx1-ubyte",
    idxBytes(
      [test],
      ramp(test).map((label) => label % 3),
    ),
  );
  return folder;
}
