import { flag, whole } from "../terminal/option.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** Options of commands that may keep decoded images on disk. */
export const cacheOptions = {
  cacheDecoded: flag("keeps decoded images on disk, for later epochs and runs"),
  cacheLimit: whole(1, "<bytes>", "the most bytes of decoded images (default: 32 GiB)"),
};

/** Throws a `UsageError` for a limit without a cache. */
export function checkCacheOptions({
  cacheDecoded,
  cacheLimit,
}: {
  readonly cacheDecoded?: boolean | undefined;
  readonly cacheLimit?: number | undefined;
}): void {
  if (cacheLimit !== undefined && cacheDecoded !== true)
    throw new UsageError("--cache-limit bounds what --cache-decoded keeps: give both.");
}
