import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test, vi } from "vitest";
import { call } from "./run-cli.ts";

const folder = mkdtempSync(join(tmpdir(), "convkit-completion-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("convkit complete", () => {
  const cases: [words: string[], found: readonly string[], files: boolean][] = [
    [["li"], ["list"], false],
    [["--engine", "wasm", "ev"], ["evaluate"], false],
    [["--engine", ""], ["auto", "gpu", "native", "wasm", "webgpu"], false],
    [["data", "f"], ["fetch"], false],
    [["data", "fetch", "cifar"], ["cifar10", "cifar100"], false],
    [["predict", "densenet"], ["densenet121", "densenet169", "densenet201", "densenet121-tv", "densenet161"], true],
    [["predict", "--top", "3", "alex"], ["alexnet"], true],
    [["predict", "alexnet", "ph"], [], true],
    [["train", "lenet5"], ["lenet5-mnist", "lenet5-multi-mnist", "lenet5-mnist-count", "lenet5"], true],
    [["train", "--optimizer", "adam"], ["adam", "adamw", "adamax"], false],
    [["train", "lenet5", "--precision", "b"], ["bfloat16"], false],
    [["train", "lenet5", "--no-"], ["--no-top"], false],
    [["evaluate", "lenet5", "--data", "fashion"], ["fashion-mnist"], true],
    [["predict", "w.pth", "--arch", "xc"], ["xception", "xception-timm"], false],
    [["predict", "resnet50", "--weights", "im"], ["imagenet"], true],
    [["completion", "z"], ["zsh"], false],
    [["nothing", "x"], [], false],
    [["doctor", ""], [], false],
  ];
  test.each(cases)("%j", async (words, found, files) => {
    const { out, err } = await call("complete", "--json", "--", ...words);
    const said = JSON.parse(out) as { words: { word: string }[]; files: boolean };
    expect(
      said.words.map(({ word }) => word),
      err,
    ).toEqual(found);
    expect(said.files).toBe(files);
  });
});

test.each(["bash", "zsh", "fish", "powershell"])(
  "convkit completion %s prints a script that asks convkit complete",
  async (shell) => {
    const print = vi.spyOn(console, "log").mockImplementation(() => {});
    try {
      expect((await call("completion", shell)).status).toBe(0);
      expect(print.mock.calls.join("\n")).toContain("convkit complete");
    } finally {
      print.mockRestore();
    }
  },
);

test("an unknown shell is refused with the known ones", async () => {
  const { status, err } = await call("completion", "tcsh");
  expect([status, err]).toEqual([
    2,
    'convkit: Unknown shell "tcsh": convkit completes in bash, zsh, fish, powershell.\n',
  ]);
});

test.skipIf(process.platform === "win32")("bash completes by the script", () => {
  const bin = fileURLToPath(new URL("../bin/convkit.js", import.meta.url));
  writeFileSync(join(folder, "convkit"), `#!/bin/sh\nexec "${process.execPath}" "${bin}" "$@"\n`);
  chmodSync(join(folder, "convkit"), 0o755);
  const program = `
    source <(convkit completion bash)
    COMP_WORDS=(convkit data ver); COMP_CWORD=2; COMP_LINE="convkit data ver"; COMP_POINT=\${#COMP_LINE}
    function _get_comp_words_by_ref { cur=ver; prev=data; words=("\${COMP_WORDS[@]}"); cword=2; }
    $(complete -p convkit | sed 's/.*-F \\([^ ]*\\).*/\\1/') 2>/dev/null
    echo "\${COMPREPLY[@]}"`;
  const said = execFileSync("bash", ["-c", program], {
    encoding: "utf8",
    env: { ...process.env, PATH: `${folder}${delimiter}${process.env["PATH"] ?? ""}` },
  });
  expect(said.trim()).toBe("verify");
});
