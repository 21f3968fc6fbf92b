import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Gives the test files one folder for the packages that they pack, and removes it when they have ended. */
export default function packedFolder(): () => void {
  const folder = mkdtempSync(join(tmpdir(), "convkit-packed-"));
  process.env["CONVKIT_TEST_PACKED"] = folder;
  return () => rmSync(folder, { recursive: true, force: true });
}
