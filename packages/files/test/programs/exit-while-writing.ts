/* exit-while-writing.ts FOLDER: exits while two files and two folders, one of each in the place of an older one, are half written. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { openAtomicFile, writeFileAtomic, writeFolderAtomic } from "../../src/index.ts";

const [folder = ""] = process.argv.slice(2);
await writeFileAtomic(join(folder, "whole"), "whole");
for (const name of ["new/file", "old-file"]) (await openAtomicFile(join(folder, name))).write(Buffer.from("half"));
let begun = 0;
const exit = (inside: string) => {
  writeFileSync(join(inside, "half"), "half");
  begun += 1;
  if (begun === 2) process.exit(3);
  return new Promise<void>(() => {});
};
await Promise.all(["made/folder", "old-folder"].map((name) => writeFolderAtomic(join(folder, name), exit)));
