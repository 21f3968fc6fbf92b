import { writeFileAtomic, writeFolderAtomic } from "@convkit/files";
import { join } from "node:path";
import { readdirSync, statSync } from "node:fs";
import type { Destination } from "../save/destination.ts";
import { writeProblem } from "../save/write-problem.ts";

/** Files and folders of the disk, each whole or not at all. */
export const disk: Destination = {
  async file(path, fill) {
    return writeFileAtomic(path, fill).catch((error: unknown) => {
      throw writeProblem(path, error);
    });
  },
  async folder(path, fill) {
    const write = async (folder: string): Promise<void> =>
      fill({
        path: folder,
        write: async (name, content) => void (await writeFileAtomic(join(folder, name), content)),
      });
    await writeFolderAtomic(path, write).catch((error: unknown) => {
      throw writeProblem(path, error);
    });
    return folderBytes(path);
  },
};

function folderBytes(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
}
