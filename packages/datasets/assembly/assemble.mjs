// Compiles the kernels here to WebAssembly: `node assembly/assemble.mjs` writes each as `src/<name>-wasm.ts`, which is committed (a
// few hundred bytes); a test compiles them again and compares.
import { writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const names = ["bilinear", "weighted"];

/** The bytes of a module, as base64. */
export async function assemble(name) {
  const { main } = await import("assemblyscript/asc");
  let bytes;
  const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--initialMemory", "2"];
  const { error, stderr } = await main([`${name}.ts`, "--baseDir", here, "--outFile", `${name}.wasm`, ...flags], {
    writeFile: (file, contents) => {
      if (file === `${name}.wasm`) bytes = contents;
    },
  });
  if (error) throw new Error(`${name}.ts does not compile:\n${stderr.toString()}`, { cause: error });
  return Buffer.from(bytes).toString("base64");
}

if (argv[1] === fileURLToPath(import.meta.url))
  for (const name of names) {
    const lines = (await assemble(name)).match(/.{1,100}/g).map((line) => `  "${line}"`);
    await writeFile(
      new URL(`../src/${name}-wasm.ts`, import.meta.url),
      `/** Compiled from \`assembly/${name}.ts\` by \`node assembly/assemble.mjs\`. */\nexport const ${name}Wasm =\n${lines.join(" +\n")};\n`,
    );
  }
