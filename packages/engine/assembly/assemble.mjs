// Compiles the kernels: `node assembly/assemble.mjs <folder>` writes them there, which is a step of the package's build;
// a checkout that was not built calls `assemble` on first use.
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/kernels/", import.meta.url));

/** The compiled kernels, from the cache where the sources have not changed. */
export async function assemble(variant) {
  const file = join(cache, `${await fingerprint()}-${fileName(variant)}`);
  try {
    return await readFile(file);
  } catch {
    const bytes = await compile(variant);
    await keep(file, bytes);
    return bytes;
  }
}

async function compile({ threads, relaxed }) {
  const { main } = await import("assemblyscript/asc");
  const shared = ["threads.ts", "--enable", "threads", "--sharedMemory", "--maximumMemory", "65536"];
  const args = ["index.ts", ...(threads ? shared : []), "--baseDir", here, "--outFile", "kernels.wasm"];
  // The heap is tfjs' own: nothing may be laid out or allocated in it here, so no runtime and no static data.
  const fused = relaxed ? ["--enable", "relaxed-simd"] : [];
  const flags = ["-O3", "--noAssert", "--runtime", "stub", "--use", "abort=", "--importMemory", "--enable", "simd"];
  let bytes;
  const { error, stderr } = await main([...args, ...flags, ...fused], {
    writeFile: (name, contents) => {
      if (name === "kernels.wasm") bytes = contents;
    },
  });
  if (error) throw new Error(`The kernels in ${here} do not compile:\n${stderr.toString()}`, { cause: error });
  return bytes;
}

/** The name of a build, as `src/wasm/kernels-module.ts` looks for it. */
function fileName({ threads, relaxed }) {
  return `kernels${threads ? "-threads" : ""}${relaxed ? "-relaxed" : ""}.wasm`;
}

async function fingerprint() {
  const hash = createHash("sha256");
  for (const name of (await readdir(here)).toSorted()) hash.update(name).update(await readFile(join(here, name)));
  hash.update(createRequire(import.meta.url)("assemblyscript/package.json").version);
  return hash.digest("hex").slice(0, 16);
}

/** A checkout that cannot be written to is compiled anew each time. */
async function keep(file, bytes) {
  const temporary = `${file}.${process.pid}`;
  await mkdir(cache, { recursive: true })
    .then(() => writeFile(temporary, bytes))
    .then(() => rename(temporary, file))
    .catch(() => undefined);
}

if (argv[1] === fileURLToPath(import.meta.url)) {
  const [, , folder] = argv;
  await mkdir(folder, { recursive: true });
  for (const threads of [false, true]) {
    for (const relaxed of [false, true]) {
      await writeFile(join(folder, fileName({ threads, relaxed })), await assemble({ threads, relaxed }));
    }
  }
  // Bundlers copy files that lie beside a module: tfjs' own, which the kernels work with, lie beside ours.
  const tfjs = dirname(createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm"));
  for (const kind of ["", "-simd", "-threaded-simd"]) {
    const name = `tfjs-backend-wasm${kind}.wasm`;
    await copyFile(join(tfjs, name), join(folder, name));
  }
}
