import { fileURLToPath } from "node:url";
import { peersFolder, setUpPeers } from "./peers-environment.ts";

/** The `setup` command. */
export async function setup(): Promise<void> {
  const requirements = fileURLToPath(new URL("../../../../tools/requirements.txt", import.meta.url));
  const outcome = await setUpPeers(requirements);
  process.stderr.write(`The peers' environment ${outcome === "made" ? "was made" : "is"} in ${peersFolder()}.\n`);
}
