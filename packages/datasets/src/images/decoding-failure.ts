import { DataError, reasonOf } from "../data-error.ts";

/** Does the work; what it throws becomes a DataError that names the image. */
export async function described<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw new DataError(`${name} cannot be decoded: ${reasonOf(error)}`, { cause: error });
  }
}

/** The reason why an image could not be decoded, without the file's name. */
export function decodingFailure(error: unknown): string {
  return reasonOf(error instanceof DataError ? (error.cause ?? error) : error);
}
