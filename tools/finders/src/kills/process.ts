import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The command. */
export const bin = fileURLToPath(new URL("../../../../apps/cli/bin/convkit.js", import.meta.url));
const preload = new URL("../../../../apps/cli/test/strike.mjs", import.meta.url).href;

/** When a process is killed. */
export type Blow =
  /** Milliseconds after its first words. */
  | { readonly after: number }
  /** Right before a file with a path like this appears under its name for the nth time, or is removed. */
  | { readonly path: string; readonly nth: number };

/** How a process ended. */
export interface Ended {
  /** Null for a killed process. */
  readonly status: number | null;
  readonly err: string;
}

/** Runs the command in a process of its own, which a blow may end. */
export function convkit(args: readonly string[], blow?: Blow): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const strike = blow !== undefined && "path" in blow ? { signal: "SIGKILL", ...blow, looks: 0 } : undefined;
    const child = spawn(process.execPath, [...(strike ? ["--import", preload] : []), bin, ...args], {
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...process.env, ...(strike && { STRIKE: JSON.stringify(strike) }) },
    });
    let err = "";
    child.stderr.on("data", (text) => {
      if (err === "" && blow !== undefined && "after" in blow) setTimeout(() => child.kill("SIGKILL"), blow.after);
      err += String(text);
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, err }));
  });
}
