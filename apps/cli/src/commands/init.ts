import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import type { Context } from "../terminal/context.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { version } from "../terminal/version.ts";
import { userFolder, userPath } from "../inputs/user-path.ts";
import { projectFiles } from "../outputs/project-files.ts";

/** `convkit init`: writes a small project that loads data, trains a network, judges it and stores it. */
export async function run({ out }: Context, _given: object, folder = "convkit-project"): Promise<void> {
  const root = userPath(folder);
  checkEmpty(root, folder);
  const written = Object.entries(projectFiles({ name: packageName(root), version: version() })).map(([path, text]) => {
    const file = join(root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  });
  const manager = packageManager(process.env["npm_config_user_agent"]);
  const steps = [
    ...(root === userFolder() ? [] : [`cd ${relative(userFolder(), root)}`]),
    `${manager} install`,
    `${manager} run train`,
  ];
  out.result(
    { written, next: steps },
    `${written.length} files in ${root}. Next:\n${steps.map((step) => `  ${step}`).join("\n")}`,
  );
}

function checkEmpty(root: string, folder: string): void {
  let files: string[];
  try {
    files = readdirSync(root);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw new UsageError(`${folder} is no folder: give the name of a new one, as in convkit init digits.`, {
      cause: error,
    });
  }
  // A repository that was just made has only these.
  const harmless = new Set([".git", "LICENSE", "README.md"]);
  if (files.every((file) => harmless.has(file))) return;
  throw new UsageError(`${folder} is not empty: give the name of a new folder, as in convkit init digits.`);
}

/** The folder's name as npm allows it for a package. */
function packageName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replaceAll(/[^a-z0-9._~-]+/g, "-")
    .replace(/^[._-]+|-+$/g, "");
  return name === "" || name === "convkit" ? "convkit-project" : name;
}

/** The package manager that runs this command, from the text by which it names itself; npm where none does. */
function packageManager(agent = ""): string {
  return ["pnpm", "yarn", "bun"].find((each) => agent.startsWith(`${each}/`)) ?? "npm";
}
