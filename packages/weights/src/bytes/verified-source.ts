import { crc32, newSha256 } from "@convkit/files/system";
import { WeightsError } from "../weights-error.ts";
import type { ByteSource } from "./byte-source.ts";

/** A checksum of a whole source, as a file states it. */
export interface Checksum {
  /** The checksum's name, for errors. */
  readonly kind: string;
  readonly expected: string;
  /** The checksum of bytes that come in parts. */
  compute(parts: Iterable<Uint8Array>): string;
}

/** A sha256 in hexadecimal digits. */
export function sha256Checksum(expected: string): Checksum {
  return {
    kind: "sha256",
    expected: expected.toLowerCase(),
    compute(parts) {
      const hash = newSha256();
      for (const part of parts) hash.update(part);
      return hash.digest();
    },
  };
}

/** The checksum of zip archives. */
export function crc32Checksum(expected: number): Checksum {
  const text = (value: number) => value.toString(16).padStart(8, "0");
  return {
    kind: "CRC-32",
    expected: text(expected),
    compute(parts) {
      let value = 0;
      for (const part of parts) value = crc32(part, value);
      return text(value);
    },
  };
}

/** The source, whose content is compared with its checksum before the first byte of it is read. */
export function verified(source: ByteSource, checksum: Checksum): ByteSource {
  let isVerified = false;
  const verify = (): void => {
    if (isVerified) return;
    const got = checksum.compute(partsOf(source));
    if (got !== checksum.expected)
      throw new WeightsError(
        source.file,
        "",
        `is damaged: expected the ${checksum.kind} ${checksum.expected}, got ${got}`,
      );
    isVerified = true;
  };
  return {
    file: source.file,
    size: source.size,
    read(offset, length, into) {
      verify();
      return source.read(offset, length, into);
    },
    ...(source.readAhead !== undefined && {
      async readAhead(offset: number, length: number, into: Uint8Array<ArrayBuffer>) {
        verify();
        return source.readAhead!(offset, length, into);
      },
    }),
    close: () => source.close(),
  };
}

/** The content in parts of 1 MB, each in the same buffer. */
function* partsOf(source: ByteSource): Generator<Uint8Array> {
  const buffer = new Uint8Array(Math.min(source.size, 1 << 20));
  for (let at = 0; at < source.size; at += buffer.byteLength)
    yield source.read(at, Math.min(buffer.byteLength, source.size - at), buffer);
}
