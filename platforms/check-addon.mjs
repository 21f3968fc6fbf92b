// Refuses to pack a platform's package without its addon.
import { readdirSync } from "node:fs";

if (!readdirSync(".").some((name) => name.endsWith(".node"))) {
  process.stderr.write("The addon is not built: run `pnpm --filter @convkit/engine addon` on this platform first.\n");
  process.exit(1);
}
