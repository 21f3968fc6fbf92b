import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

/** Bytes of the packages that a folder's package.json asks for, and of theirs, for Linux on one kind of processor. */
export function packageBytes(folder) {
  const seen = new Set();
  const collect = (user) => {
    const {
      dependencies,
      optionalDependencies,
      peerDependencies,
      peerDependenciesMeta = {},
    } = JSON.parse(readFileSync(join(user, "package.json"), "utf8"));
    const peers = Object.keys(peerDependencies ?? {}).filter((name) => !peerDependenciesMeta[name]?.optional);
    for (const name of [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]) {
      const places = createRequire(join(user, "package.json")).resolve.paths(name) ?? [];
      const place = places.find((each) => existsSync(join(each, name, "package.json")));
      // What is for another platform is not there.
      if (place === undefined) continue;
      const found = realpathSync(join(place, name));
      if (seen.has(found)) continue;
      seen.add(found);
      collect(found);
    }
  };
  collect(folder);
  return [...seen].reduce((sum, each) => sum + bytesBelow(each), 0);
}

/** ONNX Runtime's package has libraries of every platform: the zip file takes one. */
const isOther = (folder, name) =>
  (/napi-v\d+$/.test(folder) && name !== process.platform) ||
  (/napi-v\d+[\\/]\w+$/.test(folder) && name !== process.arch);

function bytesBelow(folder) {
  let sum = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isFile()) sum += statSync(path).size;
    else if (entry.isDirectory() && entry.name !== "node_modules" && !isOther(folder, entry.name))
      sum += bytesBelow(path);
  }
  return sum;
}
