// The figures of the lessons: pictures that a page's own commands draw. The command stays on the page, its picture follows the block
// and what the block prints. `drawFigures` draws them all in one process.
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

/** A page's text, with the pictures that its blocks of commands write into `.svg` files behind each block; adds their commands to `wanted`. */
export function withFigures(text, page, wanted) {
  return text.replaceAll(/```sh\n([\s\S]*?)```(?:\n\n```text\n[\s\S]*?```)?/g, (block, code) => {
    const figures = code.split("\n").flatMap((line) => {
      const [, command, name] = /^npx convkit ((?:draw|explain) .*?([\w-]+\.svg).*)$/.exec(line) ?? [];
      if (command === undefined) return [];
      const file = `${page.replaceAll("/", "-")}-${name}`;
      wanted.push({ page, file, words: command.replace(name, file).split(" ") });
      return [`[![What ${command} draws](/pictures/${file})](/pictures/${file})`];
    });
    return [block, ...figures].join("\n\n");
  });
}

/** Draws the figures into the folder `pictures`. */
export function drawFigures(wanted, docs, pictures) {
  mkdirSync(pictures, { recursive: true });
  const drawn = spawnSync(process.execPath, ["--import", "tsx", join(docs, "build/draw-figures.ts"), pictures], {
    cwd: docs,
    input: JSON.stringify(wanted),
    encoding: "utf8",
    stdio: ["pipe", "ignore", "inherit"],
  });
  if (drawn.status !== 0) throw new Error("The figures of the lessons could not be drawn.");
}
