// Compiles `bilinear.ts` to WebAssembly: `node assembly/assemble.mjs` writes it as `src/bilinear-wasm.ts`, which is committed (a
// few hundred bytes); a test compiles it again and compares.
import { writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));

/** The bytes of the module. */
export async function assemble() {
  const { main } = await import("assemblyscript/asc");
  let bytes;
  const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--initialMemory", "2"];
  const { error, stderr } = await main(["bilinear.ts", "--baseDir", here, "--outFile", "bilinear.wasm", ...flags], {
    writeFile: (name, contents) => {
      if (name === "bilinear.wasm") bytes = contents;
    },
  });
  if (error) throw new Error(`bilinear.ts does not compile:\n${stderr.toString()}`, { cause: error });
  return Buffer.from(bytes).toString("base64");
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const base64 = await assemble();
  const lines = base64.match(/.{1,100}/g).map((line) => `  "${line}"`);
  await writeFile(
    new URL("../src/bilinear-wasm.ts", import.meta.url),
    `/** Compiled from \`assembly/bilinear.ts\` by \`node assembly/assemble.mjs\`. */\nexport const bilinearWasm =\n${lines.join(" +\n")};\n`,
  );
}
