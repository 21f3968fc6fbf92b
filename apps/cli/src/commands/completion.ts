import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { shells } from "./complete.ts";

/** `convkit completion <shell>`: prints the script with which a shell completes convkit's commands, options and names. */
export async function run(_context: Context, _given: object, shell: string): Promise<void> {
  if (!(shells as readonly string[]).includes(shell))
    throw new UsageError(`Unknown shell "${shell}": convkit completes in ${shells.join(", ")}.`);
  const { script } = await import("@bomb.sh/tab");
  // Prints the script.
  script(shell, "convkit", "convkit");
}
