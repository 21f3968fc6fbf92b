// `pnpm release`: builds and publishes what `changeset version` has prepared. `pnpm release --dry-run` does all but the publishing, in a copy:
// versions and changelogs, tarballs, publint and arethetypeswrong, and the README's ten lines after an install by npm, pnpm, yarn and bun.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { run, tarballsIn, tools, tryTenLines } from "./strangers.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values } = parseArgs({
  options: {
    "dry-run": { type: "boolean", default: false },
    managers: { type: "string", default: "npm,pnpm,yarn,bun" },
  },
});
const say = (line) => process.stdout.write(`${line}\n`);

// The build checks no types.
run("pnpm", ["run", "typecheck"], { cwd: root, stdio: "inherit" });
if (values["dry-run"]) dryRun();
else {
  run("pnpm", ["exec", "turbo", "run", "build"], { cwd: root, stdio: "inherit" });
  run("pnpm", ["exec", "changeset", "publish"], { cwd: root, stdio: "inherit" });
}

function dryRun() {
  run("pnpm", ["exec", "turbo", "run", "build", "--output-logs=errors-only"], { cwd: root, stdio: "inherit" });
  const copy = mkdtempSync(join(tmpdir(), "convkit-release-"));
  try {
    const folders = copied(copy);
    const before = manifestOf(join(copy, "packages/convkit")).version;
    run(process.execPath, [join(root, "node_modules/@changesets/cli/bin.js"), "version"], { cwd: copy });
    const { version } = manifestOf(join(copy, "packages/convkit"));
    say(`version ${before} -> ${version}`);
    const tarballs = join(copy, "tarballs");
    mkdirSync(tarballs);
    for (const folder of folders) {
      const changelog = join(folder, "CHANGELOG.md");
      if (!existsSync(changelog) || !readFileSync(changelog, "utf8").includes(`## ${version}`))
        throw new Error(`${folder} has no entry for ${version} in its CHANGELOG.md`);
      // A platform's package refuses to be packed without its addon, which is built on that platform.
      run("pnpm", ["pack", "--config.ignore-scripts=true", "--pack-destination", tarballs], { cwd: folder });
    }
    const files = readdirSync(tarballs);
    for (const file of files) inspect(join(tarballs, file), version);
    say(
      `${files.length} tarballs with license and README pass publint and arethetypeswrong; each package has a CHANGELOG`,
    );
    stranger(tarballs);
  } finally {
    rmSync(copy, { recursive: true, force: true });
  }
}

/** Copies what git knows, with the builds, and links what is installed. Returns the folders of the published packages. */
function copied(copy) {
  const known = run("git", ["ls-files", "-z"], { cwd: root }).split("\0").filter(Boolean);
  for (const file of known) if (existsSync(join(root, file))) cpSync(join(root, file), join(copy, file));
  const workspaces = ["packages", "apps", "platforms", "tools"].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => `${group}/${name}`),
  );
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"));
  for (const folder of workspaces) {
    if (existsSync(join(root, folder, "dist")))
      cpSync(join(root, folder, "dist"), join(copy, folder, "dist"), { recursive: true });
    if (existsSync(join(root, folder, "node_modules")))
      // Links between our packages are relative, so that they lead to the copy's packages with their new versions.
      cpSync(join(root, folder, "node_modules"), join(copy, folder, "node_modules"), {
        recursive: true,
        verbatimSymlinks: true,
      });
  }
  // `changeset version` asks git for the commits of changesets.
  run("git", ["init", "--quiet"], { cwd: copy });
  return workspaces
    .filter((folder) => !folder.startsWith("tools/"))
    .map((folder) => join(copy, folder))
    .filter((folder) => existsSync(join(folder, "package.json")) && manifestOf(folder).private !== true);
}

function manifestOf(folder) {
  return JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
}

/** Refuses a tarball without its papers, with a version of the workspace left in it, or that publint or arethetypeswrong refuse. */
function inspect(tarball, version) {
  const files = run("tar", ["-tzf", tarball]).split("\n");
  const missing = ["LICENSE", "README.md"].filter((name) => !files.includes(`package/${name}`));
  if (missing.length > 0) throw new Error(`${tarball} lacks ${missing.join(", ")}`);
  const manifest = JSON.parse(run("tar", ["-xzOf", tarball, "package/package.json"]));
  if (manifest.version !== version) throw new Error(`${tarball} has the version ${manifest.version}, not ${version}`);
  if (/"(workspace|catalog):/.test(JSON.stringify(manifest))) throw new Error(`${tarball} depends on a workspace`);
  const modules = join(root, "tools/testing/node_modules");
  run(process.execPath, [join(modules, "publint/src/cli.js"), "run", tarball, "--strict"]);
  if (manifest.exports?.["."] === undefined || manifest.cpu !== undefined) return;
  run(process.execPath, [join(modules, "@arethetypeswrong/cli/dist/index.js"), tarball, "--profile", "esm-only"]);
}

function stranger(tarballs) {
  const ours = tarballsIn(tarballs);
  const { managers, remove } = tools([]);
  for (const manager of values.managers.split(",")) {
    const { install, run, output } = tryTenLines({ ours, manager, command: managers[manager], node: process.execPath });
    say(`${manager}: installed in ${install.toFixed(0)} s, trained in ${run.toFixed(0)} s: ${output}`);
  }
  remove();
}
