import { writeFileSync } from "node:fs";
import { chmod, readdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, test } from "vitest";

import { hashFile } from "@convkit/files";
import { runChild } from "../src/install/child.ts";
import { downloadWithPip, findPip } from "../src/install/pip.ts";
import { wheelsOf, type Wheel } from "../src/install/wheels.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

const [wheel] = wheelsOf("native", "linux-x64") as [Wheel];

describe("a wheel from pip", () => {
  test("is downloaded for another Python and platform than pip's own", async () => {
    const small: Wheel = {
      project: "termcolor",
      version: "2.5.0",
      tags: "py3-none-any",
      sha256: "37b17b5fc1e604945c2642c872a3764b5d547a48009871aea3edd3afa180afb8",
    };
    const folder = await temporaryFolder();
    await downloadWithPip(small, folder);
    expect(await readdir(folder)).toEqual(["termcolor-2.5.0-py3-none-any.whl"]);
    expect(await hashFile(path.join(folder, "termcolor-2.5.0-py3-none-any.whl"))).toBe(small.sha256);
  });

  test("without Python and pip is refused with what to install", async () => {
    await withEnv({ PATH: "/nowhere" }, async () => {
      expect(await findPip()).toBeUndefined();
      await expect(downloadWithPip(wheel, await temporaryFolder())).rejects.toThrow(
        'No Python with pip was found on the PATH: install one (for example "apt install python3-pip")',
      );
    });
  });

  test("a Python without pip counts as none, and the next program is tried", async () => {
    const bin = await temporaryFolder();
    await writeFile(path.join(bin, "python3"), '#!/bin/sh\necho "No module named pip" >&2; exit 1\n');
    await writeFile(path.join(bin, "pip3"), '#!/bin/sh\necho "pip 99.0 from /somewhere (python 3.13)"\n');
    await Promise.all(["python3", "pip3"].map((name) => chmod(path.join(bin, name), 0o755)));
    await symlink("/bin/sh", path.join(bin, "sh"));
    await withEnv({ PATH: bin }, async () => {
      expect(await findPip()).toEqual({ command: ["pip3"], version: "99.0" });
    });
  });

  test("without network is refused in one sentence", async () => {
    const nowhere = {
      PIP_INDEX_URL: "http://127.0.0.1:9/simple",
      PIP_FIND_LINKS: undefined,
      PIP_EXTRA_INDEX_URL: undefined,
    };
    await withEnv({ ...nowhere, PIP_CONFIG_FILE: "/dev/null" }, async () => {
      await expect(downloadWithPip(wheel, await temporaryFolder())).rejects.toThrow(
        "tensorflow-cpu 2.21.0 could not be downloaded since pip reaches no package index: check the network",
      );
    });
  });

  test("that the index does not have is refused with pip's own last line", async () => {
    const missing = { ...wheel, version: "2.21.99" };
    await expect(downloadWithPip(missing, await temporaryFolder())).rejects.toThrow(
      /tensorflow-cpu 2.21.99 \(.*\) could not be downloaded by pip: No matching distribution found for tensorflow-cpu==2.21.99\.$/,
    );
  });

  test("can be given up", async () => {
    const controller = new AbortController();
    const download = downloadWithPip(wheel, await temporaryFolder(), { signal: controller.signal });
    setTimeout(() => controller.abort(), 300);
    await expect(download).rejects.toThrow(/abort/i);
  });
});

describe("a child process", () => {
  test("that does not exist has no exit code", async () => {
    expect(await runChild("/nowhere/program", [])).toEqual({ code: undefined, output: "" });
  });

  test("tells what it printed, on both streams, as it comes", async () => {
    const heard: string[] = [];
    const file = path.join(await temporaryFolder(), "heard");
    // It goes on only when its first line was heard.
    const script = `echo one; until [ -e '${file}' ]; do sleep 0.01; done; echo two >&2; exit 3`;
    const { code, output } = await runChild("sh", ["-c", script], {
      onOutput: (text) => {
        heard.push(text);
        writeFileSync(file, "");
      },
    });
    expect([code, output, heard]).toEqual([3, "one\ntwo\n", ["one\n", "one\ntwo\n"]]);
  });

  test("is killed by an abort", async () => {
    const signal = AbortSignal.timeout(100);
    await expect(runChild("sleep", ["30"], { signal })).rejects.toThrow(/timeout/);
  });
});
