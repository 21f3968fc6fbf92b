/**
 * What bundlers take in place of `index.ts` for web pages: the same names. A report is a file, and a page has no file system, so each
 * function refuses with a FileError.
 */
import { writeFileAtomic } from "@convkit/files";

const refuse = async (path: string): Promise<void> => void (await writeFileAtomic(path, ""));

export const writeReport = refuse;
export const writeComparison = refuse;
export const writeHealthReport = refuse;
