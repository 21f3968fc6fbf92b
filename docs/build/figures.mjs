// The figures of the lessons: pictures that a page's own commands draw. The command stays on the page, its picture follows the block
// and what the block prints.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** A page's text, with the pictures that its blocks of commands write into `.svg` files behind each block. */
export function withFigures(text, page, root, pictures) {
  return text.replaceAll(/```sh\n([\s\S]*?)```(?:\n\n```text\n[\s\S]*?```)?/g, (block, code) => {
    const figures = code.split("\n").flatMap((line) => {
      const [, command, name] = /^npx convkit ((?:draw|explain) .*?([\w-]+\.svg).*)$/.exec(line) ?? [];
      if (command === undefined) return [];
      mkdirSync(pictures, { recursive: true });
      const file = `${page.replaceAll("/", "-")}-${name}`;
      const args = command.replace(name, join(pictures, file)).split(" ");
      const made = spawnSync(process.execPath, [join(root, "apps/cli/bin/convkit.js"), ...args], { encoding: "utf8" });
      if (made.status !== 0) throw new Error(`${page}: ${command} draws no picture: ${made.stderr}`);
      return [`![What ${command} draws](/pictures/${file})`];
    });
    return [block, ...figures].join("\n\n");
  });
}
