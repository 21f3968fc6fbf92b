import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";

/** The links of rendered pages whose file or anchor is not in the folder `dist`, as "page: link". */
export function brokenLinks(dist) {
  const files = new Set(readdirSync(dist, { recursive: true, encoding: "utf8" }));
  const pages = new Map(
    [...files].filter((file) => file.endsWith(".html")).map((file) => [file, readFileSync(join(dist, file), "utf8")]),
  );
  const anchors = new Map();
  const anchorsOf = (file) => {
    if (!anchors.has(file)) {
      const ids = [...pages.get(file).matchAll(/ (?:id|name)="([^"]*)"/g)].map(([, id]) => id);
      anchors.set(file, new Set(ids));
    }
    return anchors.get(file);
  };
  return [...pages].flatMap(([page, html]) => {
    const targets = new Set([...html.matchAll(/ (?:href|src)="([^"]*)"/g)].map(([, target]) => target));
    return [...targets]
      .filter((target) => !/^(https?:|mailto:|data:)/.test(target))
      .filter((target) => {
        const [path, anchor] = decodeURI(target).replaceAll("&amp;", "&").split("#");
        const file = path === "" ? page : posix.join(posix.dirname(page), path);
        if (!files.has(file)) return true;
        return anchor !== undefined && pages.has(file) && !anchorsOf(file).has(anchor);
      })
      .map((target) => `${page}: ${target}`);
  });
}
