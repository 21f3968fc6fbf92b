/** An image and the memory for it. */
export interface WantedImage {
  index: number;
  target: Uint8Array;
}

/** Writes images into their targets; resolves to one entry per image: its error, or undefined if it was written. */
export type ImageReader = (wanted: readonly WantedImage[]) => Promise<unknown[]>;

/** Reads the encoded images at some indices; undefined for one that cannot be read. */
export type EncodedReader = (indices: readonly number[]) => Promise<readonly (Uint8Array | undefined)[]>;

/** A store of decoded pixels. */
export interface Store {
  /** Writes images into their targets; returns which images it has. */
  take(wanted: readonly WantedImage[], encoded: EncodedReader): Promise<boolean[]>;
  keep(read: readonly WantedImage[]): Promise<void>;
}

/** Keeps pixels in memory. */
export function memoryStore(): Store {
  const pixelsOf = new Map<number, Uint8Array>();
  return {
    async take(wanted) {
      return wanted.map(({ index, target }) => {
        const pixels = pixelsOf.get(index);
        if (pixels !== undefined) target.set(pixels);
        return pixels !== undefined;
      });
    },
    async keep(read) {
      for (const { index, target } of read) pixelsOf.set(index, target.slice());
    },
  };
}

/** A reader that decodes only the images that `store` has not, and keeps them there. */
export function keeping(read: ImageReader, store: Store | undefined, encoded: EncodedReader): ImageReader {
  if (store === undefined) return read;
  return async (wanted) => {
    const taken = await store.take(wanted, encoded);
    const missing = wanted.filter((_, place) => !taken[place]);
    if (missing.length === 0) return wanted.map(() => undefined);
    const failures = await read(missing);
    await store.keep(missing.filter((_, place) => failures[place] === undefined));
    let next = 0;
    return taken.map((there) => (there ? undefined : failures[next++]));
  };
}
