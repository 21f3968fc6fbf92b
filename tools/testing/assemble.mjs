// Compiles a package's kernels to WebAssembly: `node ../../tools/testing/assemble.mjs FOLDER` in the package's folder writes each
// `assembly/<name>.ts` as `FOLDER/<name>-wasm.ts`, which is committed (a few hundred bytes); a test compiles them again and compares.
import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { main } from "assemblyscript/asc";

/** The bytes of `<name>.ts` in a folder of AssemblyScript, as base64. */
export async function assemble(folder, name) {
  let bytes;
  const flags = ["-O3", "--noAssert", "--runtime", "stub", "--enable", "simd", "--initialMemory", "2"];
  const { error, stderr } = await main([`${name}.ts`, "--baseDir", folder, "--outFile", `${name}.wasm`, ...flags], {
    writeFile: (file, contents) => {
      if (file === `${name}.wasm`) bytes = contents;
    },
  });
  if (error) throw new Error(`${name}.ts does not compile:\n${stderr.toString()}`, { cause: error });
  return Buffer.from(bytes).toString("base64");
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const names = readdirSync("assembly").flatMap((file) => /^(.+)\.ts$/.exec(file)?.[1] ?? []);
  for (const name of names) {
    const lines = (await assemble("assembly", name)).match(/.{1,100}/g).map((line) => `  "${line}"`);
    await writeFile(
      join(argv[2], `${name}-wasm.ts`),
      `/** Compiled from \`assembly/${name}.ts\` by \`pnpm assemble\`. */\nexport const ${name}Wasm =\n${lines.join(" +\n")};\n`,
    );
  }
}
