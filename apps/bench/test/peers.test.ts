import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { peersFolder, peersPython, setUpPeers } from "../src/commands/peers-environment.ts";

// A python3 that makes an environment holding itself, and whose pip notes what it was asked for or fails.
const python = `#!/bin/sh
if [ "$2" = venv ]; then rm -rf "$4"; mkdir -p "$4/bin" && cp "$0" "$4/bin/python"; exit; fi
if [ "$3" = --version ]; then exit; fi
if [ -n "$PIP_BREAKS" ]; then exit 7; fi
echo "$@" >> "$PIP_LOG"
`;

let folder: string;
let requirements: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "bench-peers-"));
  requirements = join(folder, "requirements.txt");
  writeFileSync(requirements, "keras==3.15.1\n");
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "python3"), python);
  chmodSync(join(folder, "bin", "python3"), 0o755);
  vi.stubEnv("PATH", `${join(folder, "bin")}${delimiter}${process.env["PATH"]}`);
  vi.stubEnv("PIP_LOG", join(folder, "pip.log"));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe("setUpPeers", () => {
  it("makes the environment once, and again for other requirements", async () => {
    const peers = join(folder, "deep", "peers");
    expect(peersPython(peers)).toBeUndefined();
    expect(await setUpPeers(requirements, { folder: peers })).toBe("made");
    expect(peersPython(peers)).toBe(join(peers, "bin", "python"));
    expect(await setUpPeers(requirements, { folder: peers })).toBe("there");
    writeFileSync(join(peers, "kept"), "");
    writeFileSync(requirements, "keras==3.15.2\n");
    expect(await setUpPeers(requirements, { folder: peers })).toBe("made");
    expect(existsSync(join(peers, "kept"))).toBe(true);
    const line = `-m pip install --quiet --disable-pip-version-check --no-compile -r ${requirements}\n`;
    expect(readFileSync(join(folder, "pip.log"), "utf8")).toBe(line + line);
  });

  it("makes an environment anew whose Python does not run any more", async () => {
    const peers = join(folder, "peers");
    await setUpPeers(requirements, { folder: peers });
    writeFileSync(join(peers, "bin", "python"), "#!/bin/sh\nexit 1\n");
    writeFileSync(requirements, "keras==3.15.2\n");
    expect(await setUpPeers(requirements, { folder: peers })).toBe("made");
    expect(readFileSync(join(peers, "bin", "python"), "utf8")).toBe(python);
  });

  it("says which command failed, and is not taken for made afterwards", async () => {
    vi.stubEnv("PIP_BREAKS", "1");
    const peers = join(folder, "peers");
    await expect(setUpPeers(requirements, { folder: peers })).rejects.toThrow(
      `${join(peers, "bin", "python")} -m pip install --quiet --disable-pip-version-check --no-compile -r ${requirements} failed (status 7)`,
    );
    expect(existsSync(join(peers, "requirements.sha256"))).toBe(false);
  });

  it("says that there is no Python", async () => {
    vi.stubEnv("PATH", folder);
    await expect(setUpPeers(requirements, { folder: join(folder, "peers") })).rejects.toThrow(
      "There is no python3 on the PATH: install Python 3 (with venv and pip), or measure without its peers.",
    );
  });
});

it.each([
  [{ CONVKIT_PEERS: "/a/b", XDG_CACHE_HOME: "/c" }, "/a/b"],
  [{ XDG_CACHE_HOME: "/c" }, "/c/convkit/peers"],
])("with %j the environment is in %s", (environment, expected) => {
  expect(peersFolder(environment)).toBe(expected);
});
