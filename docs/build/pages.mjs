// The pages of the site: in the order of its sidebar, as paths in the repository. Paths that begin with "generated/" are written by the build.
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { entryPoints } from "./api.mjs";

/** The groups of the sidebar: `{ text, pages: [{ text, source, path }] }`; `path` is the page's place in the site, without ending. */
export function groupsOf(root) {
  const manifest = (folder) => JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
  const packages = readdirSync(join(root, "packages")).map((folder) => `packages/${folder}`);
  const examples = readdirSync(join(root, "examples"))
    .filter((name) => name !== "README.md")
    .map((name) => `examples/${name}`);
  const formats = readdirSync(join(root, "docs/formats")).map((name) => name.replace(".md", ""));
  const decisions = readdirSync(join(root, "docs/decisions")).filter((name) => name !== "README.md");
  return [
    group("Start", [
      ["Start", "docs/index.md", "index"],
      ["Examples", "examples/README.md", "examples/index"],
    ]),
    group("Guides", [
      ["Data", "docs/guides/data.md"],
      ["Training", "docs/guides/training.md"],
      ["Fine-tuning", "docs/guides/fine-tuning.md"],
      ["Augmentation", "docs/guides/augmentation.md"],
      ["Engines", "docs/guides/engines.md"],
      ["Speed", "docs/guides/speed.md"],
      ["Files", "docs/guides/files.md"],
      ["Drawings", "docs/guides/drawings.md"],
      ["Deployment", "docs/guides/deployment.md"],
      ["Serving", "docs/guides/serving.md"],
      ["Workers", "docs/guides/workers.md"],
      ["Several machines", "docs/guides/several-machines.md"],
      ["Web pages", "docs/guides/web-pages.md"],
      ["Playground", "docs/guides/playground.md"],
      ["Size on AWS Lambda", "docs/guides/lambda.md"],
    ]),
    group("Lessons", [
      ["Convolutional networks", "docs/lessons/convolutional-networks.md"],
      ["Receptive fields and famous networks", "docs/lessons/receptive-fields.md"],
      ["Branches and shortcuts", "docs/lessons/branches-and-shortcuts.md"],
      ["Inception", "docs/lessons/inception.md"],
      ["Residual networks", "docs/lessons/residual-networks.md"],
      ["Modern architectures", "docs/lessons/modern-architectures.md"],
      ["The graph compiler", "docs/lessons/graph-compiler.md"],
      ["Importing weights", "docs/lessons/importing-weights.md"],
      ["Fine-tuning, step by step", "docs/lessons/fine-tuning.md"],
      ["Adversarial images", "docs/lessons/adversarial-images.md"],
    ]),
    group(
      "Examples",
      examples.map((folder) => [title(root, `${folder}/README.md`), `${folder}/README.md`, folder]),
    ),
    group("Coming from", [
      ["tfjs-node", "docs/migration/tfjs-node.md"],
      ["Keras", "docs/migration/keras.md"],
      ["PyTorch and timm", "docs/migration/pytorch.md"],
    ]),
    group("Reference", [
      ["Command line", "generated/cli.md", "cli"],
      ["Errors", "docs/errors.md"],
      ...packages.map((folder) => [manifest(folder).name, `${folder}/README.md`, folder]),
      ["@convkit/cli", "apps/cli/README.md", "packages/cli"],
    ]),
    group("API", [
      ["All packages", "generated/api/index.md", "api/index"],
      ...entryPoints(root).map(({ name, page }) => [name, `generated/api/${page}.md`, `api/${page}`]),
    ]),
    group(
      "Formats",
      formats.map((name) => [title(root, `docs/formats/${name}.md`), `docs/formats/${name}.md`]),
    ),
    group("About", [
      ["Benchmarks", "docs/benchmarks.md"],
      ["First hour", "docs/first-hour.md"],
      ["Architecture", "docs/architecture.md"],
      ["Verification", "docs/verification.md"],
      ["Networks of other libraries", "docs/networks.md"],
      ["Hardening", "docs/hardening.md"],
      ["What is patched", "docs/patches.md"],
      ["Supply chain", "docs/supply-chain.md"],
      ["Security", "SECURITY.md", "security"],
      ["Contributing", "CONTRIBUTING.md", "contributing"],
    ]),
    group("Decisions", [
      ["Index", "docs/decisions/README.md", "decisions/index"],
      ...decisions.map((name) => [title(root, `docs/decisions/${name}`), `docs/decisions/${name}`]),
    ]),
  ];
}

const group = (text, pages) => ({
  text,
  pages: pages.map(([text, source, path = source.replace(/^docs\//, "").replace(/\.md$/, "")]) => ({
    text,
    source,
    path,
  })),
});

const title = (root, source) => /^# (.*)$/m.exec(readFileSync(join(root, source), "utf8"))?.[1] ?? source;
