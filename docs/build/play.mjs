// The parts of the lessons that compute in the browser: `docs/play`, bundled into one script without TensorFlow.js.
import { join } from "node:path";
import { build } from "esbuild";

/** A page's text with a place for each `<!-- play: name key=value … -->`, which nobody sees who reads the page elsewhere. */
export function withPlays(text) {
  return text.replaceAll(/<!-- play: (\w+) (.*?) -->/g, (_, name, settings) => {
    const data = settings.split(" ").map((each) => each.replace(/^(\w+)=(.*)$/, 'data-$1="$2"'));
    return `<div class="play" data-play="${name}" ${data.join(" ")}></div>`;
  });
}

/** Writes the script. */
export async function writePlay(docs, out) {
  const arithmetic = join(docs, "play/arithmetic.ts");
  const { metafile } = await build({
    entryPoints: [join(docs, "play/main.ts")],
    outfile: out,
    bundle: true,
    minify: true,
    format: "iife",
    target: "es2023",
    metafile: true,
    logLevel: "error",
    alias: { "@convkit/core": arithmetic, "@convkit/core/internal": arithmetic },
    plugins: [withoutTensorFlow],
  });
  const [{ imports }] = Object.values(metafile.outputs);
  if (imports.length > 0) throw new Error(`The pages' script must need nothing, but imports ${imports[0].path}.`);
}

/** Leaves TensorFlow.js out of files that import it, also by way of core's platform, for functions that the pages do not call. */
const withoutTensorFlow = {
  name: "without-tensorflow",
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@tensorflow\/|^@convkit\/core\/platform$/ }, ({ path }) => ({
      path,
      external: true,
      sideEffects: false,
    })),
};
