// The API reference: a page for each entry point that users import, made by TypeDoc from the sentences in the sources.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { Application, Converter } from "typedoc";

/** The entry points of the packages that are for users: `{ name, file, page }`; the façade comes last, as it re-exports the others. */
export function entryPoints(root) {
  return readdirSync(join(root, "packages"))
    .filter((folder) => folder !== "convkit")
    .concat("convkit")
    .flatMap((folder) => {
      const { name, exports } = JSON.parse(readFileSync(join(root, "packages", folder, "package.json"), "utf8"));
      return Object.entries(exports)
        .filter(
          ([path]) =>
            !["./internal", "./plain", "./platform", "./system"].includes(path) && (name !== "convkit" || path === "."),
        )
        .map(([path, entry]) => [path, typeof entry === "string" ? entry : entry.default])
        .map(([path, file]) => ({
          name: name + path.slice(1),
          // The file that runs gives proxies; `names.ts` has the same names with their types.
          file: join(root, "packages", folder, name === "convkit" ? "src/names.ts" : file),
          page: `${folder}${path.slice(1).replaceAll("/", "-")}`,
        }));
    });
}

/** Writes a page for each entry point into the folder `out`. */
export async function writeApi(root, out) {
  const entries = entryPoints(root);
  const app = await Application.bootstrapWithPlugins({
    plugin: ["typedoc-plugin-markdown"],
    entryPoints: entries.map(({ file }) => file),
    tsconfig: join(root, "docs/build/tsconfig.api.json"),
    // `pnpm typecheck` checks the types.
    skipErrorChecking: true,
    excludeInternal: true,
    excludePrivate: true,
    // Members that a layer has from tfjs.
    excludeExternals: true,
    disableSources: true,
    disableGit: true,
    readme: "none",
    logLevel: "Error",
    outputs: [{ name: "markdown", path: out }],
    outputFileStrategy: "modules",
    hidePageHeader: true,
    hideBreadcrumbs: true,
    parametersFormat: "table",
    interfacePropertiesFormat: "table",
    typeDeclarationFormat: "table",
    sanitizeComments: true,
    useHTMLEncodedBrackets: true,
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    for (const module of project.children ?? []) {
      const entry = entries.find(({ file }) => moduleName(root, file) === module.name);
      if (entry === undefined) throw new Error(`TypeDoc names a module ${module.name}, which is no entry point.`);
      module.name = entry.page;
    }
  });
  const project = await app.convert();
  if (project === undefined) throw new Error("TypeDoc could not read the packages.");
  await app.generateOutputs(project);
  for (const { name, page } of entries) {
    const file = join(out, `${page}.md`);
    writeFileSync(file, readFileSync(file, "utf8").replace(/^# .*$/m, `# ${name}`));
  }
  const list = entries.map(({ name, page }) => `- [${name}](${page}.md)\n`);
  writeFileSync(
    join(out, "index.md"),
    `# API\n\nEvery public name, by the package that exports it.\n\n${list.join("")}`,
  );
}

/** TypeDoc's name for the module of a file. */
const moduleName = (root, file) => relative(join(root, "packages"), file).replace(/(\/index)?\.ts$/, "");
