import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile, stat, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, type AddressInfo } from "node:net";
import path from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";

import { EngineError } from "@convkit/engine";
import { runChild } from "../src/install/child.ts";
import { fetchWheel } from "../src/install/fetch-wheel.ts";
import { pipSettings } from "../src/install/pip-settings.ts";
import { wheelFile, wheelsOf, type Wheel } from "../src/install/wheels.ts";
import { temporaryFolder, withEnv } from "./temporary.ts";

const [wheel] = wheelsOf("native", "linux-x64") as [Wheel];
const sha256 = (content: string | Buffer) => createHash("sha256").update(content).digest("hex");

describe("a wheel from CONVKIT_WHEELS", () => {
  test("is taken as it is if its hash is right, without pip", async () => {
    const kept = await temporaryFolder();
    await writeFile(path.join(kept, wheelFile(wheel)), "wheel");
    await withEnv({ PATH: "/nowhere", CONVKIT_WHEELS: kept }, async () => {
      expect(await fetchWheel({ ...wheel, sha256: sha256("wheel") }, "/nowhere")).toBe(
        path.join(kept, wheelFile(wheel)),
      );
    });
  });

  test("with another hash is refused with both", async () => {
    const kept = await temporaryFolder();
    await writeFile(path.join(kept, wheelFile(wheel)), "damaged");
    const sentence = `has sha256 ${sha256("damaged")}, expected ${wheel.sha256}: the file is damaged`;
    await expect(fetchWheel(wheel, kept, { kept })).rejects.toThrow(sentence);
    await expect(fetchWheel(wheel, kept, { kept })).rejects.toThrow(EngineError);
  });

  test("that is not there is asked for, with the command that brings it", async () => {
    const kept = await temporaryFolder();
    await expect(fetchWheel(wheel, kept, { kept })).rejects.toThrow(
      new RegExp(
        `CONVKIT_WHEELS has no tensorflow_cpu-2.21.0-cp311-.*whl in ${kept}: .*pip download .* --dest ${kept} tensorflow-cpu==2.21.0`,
      ),
    );
  });
});

const content = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, index) => (index * 31) % 251));
const small: Wheel = { project: "small-wheel", version: "1.0", tags: "py3-none-any", sha256: sha256(content) };

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** A server on this machine; its address without a final slash. */
async function serve(answer: Answer, secure?: { key: string; cert: string }): Promise<string> {
  const server = secure ? createSecureServer(secure, answer) : createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return `${secure ? "https" : "http"}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A package index with that one wheel, as JSON or HTML; `asked` has its requests. */
function indexOf(kind: "json" | "html", asked: IncomingMessage[] = []): Answer {
  return (request, response) => {
    asked.push(request);
    if (request.url === "/simple/small-wheel/") {
      const url = `../../files/${wheelFile(small)}#sha256=${small.sha256}`;
      const [type, page] =
        kind === "json"
          ? ["application/vnd.pypi.simple.v1+json", JSON.stringify({ files: [{ filename: wheelFile(small), url }] })]
          : ["text/html", `<a href="../../files/other.whl">other.whl</a><br><a data-x="1" href="${url}">small</a>`];
      response.writeHead(200, { "content-type": type }).end(page);
    } else if (request.url === `/files/${wheelFile(small)}`) {
      response.writeHead(200, { etag: '"v1"', "content-length": content.length }).end(content);
    } else response.writeHead(404).end();
  };
}

/** pip's settings of a machine that has none but these, without pip. */
const onlyWith = (settings: Record<string, string | undefined>) => ({
  ...Object.fromEntries(
    Object.keys(process.env)
      .filter((name) => /^PIP_|_PROXY$|_CA_BUNDLE$|^SSL_CERT_FILE$/i.test(name))
      .map((name) => [name, undefined]),
  ),
  PIP_CONFIG_FILE: "/dev/null",
  PATH: "/nowhere",
  CONVKIT_WHEELS: undefined,
  ...settings,
});

describe("a wheel from a package index, without Python", () => {
  test.each(["json", "html"] as const)("is found on a page of %s and checked", async (kind) => {
    const url = await serve(indexOf(kind));
    const folder = await temporaryFolder();
    await withEnv(onlyWith({ PIP_INDEX_URL: `${url}/simple` }), async () => {
      const told: number[] = [];
      const file = await fetchWheel(small, folder, { onBytes: (bytes, total) => told.push(bytes / total) });
      expect(file).toBe(path.join(folder, wheelFile(small)));
      expect((await readFile(file)).equals(content)).toBe(true);
      expect(told.at(-1)).toBe(1);
      expect(await readdir(folder)).toEqual([wheelFile(small)]);
    });
  });

  test("goes on where an earlier download ended", async () => {
    const ranges: (string | undefined)[] = [];
    const whole = indexOf("json");
    const url = await serve((request, response) => {
      if (!request.url!.startsWith("/files/")) return whole(request, response);
      ranges.push(request.headers.range);
      const start = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? "bytes=0-")![1]);
      const head = { etag: '"v1"', "content-length": content.length - start };
      response.writeHead(start > 0 ? 206 : 200, head);
      if (start > 0) return void response.end(content.subarray(start));
      response.write(content.subarray(0, 120_000), () => setTimeout(() => response.destroy(), 200));
    });
    const folder = await temporaryFolder();
    await withEnv(onlyWith({ PIP_INDEX_URL: `${url}/simple/` }), async () => {
      await expect(fetchWheel(small, folder)).rejects.toThrow(/^small-wheel 1\.0 could not be downloaded: /);
      expect(existsSync(path.join(folder, wheelFile(small)))).toBe(false);
      const { size } = await stat(path.join(folder, `${wheelFile(small)}.part`));
      expect(size).toBeGreaterThan(0);
      expect((await readFile(await fetchWheel(small, folder))).equals(content)).toBe(true);
      expect(ranges).toEqual([undefined, `bytes=${size}-`]);
    });
  });

  test("comes from the extra index where the first lacks it, with the user of the address", async () => {
    const asked: IncomingMessage[] = [];
    const first = await serve((_, response) => response.writeHead(404).end());
    const second = await serve(indexOf("json", asked));
    const extra = second.replace("//", "//me:p%40ss@");
    await withEnv(
      onlyWith({ PIP_INDEX_URL: `${first}/simple`, PIP_EXTRA_INDEX_URL: `${extra}/simple` }),
      async () => void (await fetchWheel(small, await temporaryFolder())),
    );
    const login = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
    expect(asked.map(({ headers }) => headers.authorization)).toEqual([login, login]);
  });

  test("whose bytes are not the pinned ones is refused, and nothing is kept", async () => {
    const url = await serve(indexOf("json"));
    const folder = await temporaryFolder();
    await withEnv(onlyWith({ PIP_INDEX_URL: `${url}/simple` }), async () => {
      await expect(fetchWheel({ ...small, sha256: sha256("other") }, folder)).rejects.toThrow(
        `is not the file that was expected: expected sha256 ${sha256("other")}, got ${small.sha256}`,
      );
    });
    expect(await readdir(folder)).toEqual([]);
  });

  test("that no index has, or whose index is away, is one sentence without the password", async () => {
    const url = await serve((_, response) => response.writeHead(404).end());
    const failure = (settings: Record<string, string>) =>
      withEnv(onlyWith(settings), async () =>
        fetchWheel(small, await temporaryFolder()).then(
          () => undefined,
          (error: unknown) => error,
        ),
      );
    const missing = await failure({ PIP_INDEX_URL: `${url.replace("//", "//me:secret@")}/simple` });
    expect(missing).toBeInstanceOf(EngineError);
    expect((missing as Error).message).toBe(
      `small-wheel 1.0 could not be downloaded: ${url}/simple has no ${wheelFile(small)}.`,
    );
    const away = (await failure({ PIP_INDEX_URL: "http://me:secret@127.0.0.1:9/simple" })) as Error;
    expect(away).toBeInstanceOf(EngineError);
    expect(away.message).toMatch(
      /The package index http:\/\/127\.0\.0\.1:9\/simple does not answer .*check the network/,
    );
    expect(((await failure({ PIP_NO_INDEX: "1" })) as Error).message).toMatch(/settings forbid the package index/);
  });

  test("can be given up", async () => {
    const controller = new AbortController();
    const url = await serve(() => controller.abort());
    await withEnv(onlyWith({ PIP_INDEX_URL: `${url}/simple` }), async () => {
      await expect(fetchWheel(small, await temporaryFolder(), { signal: controller.signal })).rejects.toThrow(/abort/i);
    });
  });

  test("comes from a folder of find-links", async () => {
    const links = await temporaryFolder();
    await writeFile(path.join(links, wheelFile(small)), content);
    await withEnv(onlyWith({ PIP_NO_INDEX: "1", PIP_FIND_LINKS: links }), async () => {
      expect(await fetchWheel(small, await temporaryFolder())).toBe(path.join(links, wheelFile(small)));
    });
  });

  test("comes through the proxy of the environment", async () => {
    const through: string[] = [];
    const url = await serve(indexOf("json"));
    const proxy = createServer((request, response) => {
      through.push(request.url!);
      httpRequest(request.url!, { headers: request.headers }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(response);
      }).end();
    });
    proxy.on("connect", (request, socket) => {
      through.push(request.url!);
      const [host, port] = request.url!.split(":");
      const upstream = connect(Number(port), host, () => {
        socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
        upstream.pipe(socket).pipe(upstream);
      });
      for (const each of [socket, upstream]) each.on("error", () => {});
    });
    await new Promise<void>((listening) => proxy.listen(0, "127.0.0.1", listening));
    onTestFinished(() => {
      proxy.close();
      proxy.closeAllConnections();
    });
    const address = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    for (const settings of [{ HTTP_PROXY: address }, { PIP_PROXY: address }]) {
      through.length = 0;
      await withEnv(onlyWith({ PIP_INDEX_URL: `${url}/simple`, ...settings }), async () => {
        await fetchWheel(small, await temporaryFolder());
      });
      expect(through.length, JSON.stringify(settings)).toBeGreaterThan(0);
    }
  });

  test("comes from a server whose certificate only pip's settings trust", async () => {
    const folder = await temporaryFolder();
    const secure = await certificate(folder);
    if (secure === undefined) return;
    const url = await serve(indexOf("json"), secure);
    const settings = { PIP_INDEX_URL: `${url}/simple` };
    await withEnv(onlyWith(settings), async () => {
      await expect(fetchWheel(small, await temporaryFolder())).rejects.toThrow(/does not answer \(.*CERT/);
    });
    await withEnv(onlyWith({ ...settings, PIP_CERT: path.join(folder, "cert.pem") }), async () => {
      expect((await readFile(await fetchWheel(small, await temporaryFolder()))).equals(content)).toBe(true);
    });
  });
});

/** A self-signed certificate for 127.0.0.1 as openssl makes it; undefined without openssl. */
async function certificate(folder: string): Promise<{ key: string; cert: string } | undefined> {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => path.join(folder, name)) as [string, string];
  const subject = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"];
  const made = [
    "req",
    "-x509",
    "-newkey",
    "rsa:2048",
    "-nodes",
    "-days",
    "2",
    "-keyout",
    key,
    "-out",
    cert,
    ...subject,
  ];
  const { code } = await runChild("openssl", made);
  return code === 0 ? { key: await readFile(key, "utf8"), cert: await readFile(cert, "utf8") } : undefined;
}

describe("pip's settings", () => {
  test("are PyPI where there are none", () => {
    expect(pipSettings({ PIP_CONFIG_FILE: "/dev/null" })).toEqual({
      indexes: ["https://pypi.org/simple"],
      folders: [],
      certificates: undefined,
      proxy: undefined,
    });
  });

  test("come from the files of the user and PIP_CONFIG_FILE, and variables count most", async () => {
    const home = await temporaryFolder();
    const [user, own] = [path.join(home, "pip.conf"), path.join(home, "own.conf")];
    await writeFile(
      user,
      "# a comment\n[global]\nindex_url = https://one/simple\ncert: /one.pem\n[install]\nproxy = http://no\n",
    );
    await writeFile(
      own,
      "[global]\nextra-index-url =\n    https://two/simple\n    https://three/simple\n[download]\nproxy=http://p:1\n",
    );
    const environment = { HOME: home, VIRTUAL_ENV: home, XDG_CONFIG_DIRS: home, PIP_CONFIG_FILE: own };
    expect(pipSettings(environment)).toEqual({
      indexes: ["https://one/simple", "https://two/simple", "https://three/simple"],
      folders: [],
      certificates: "/one.pem",
      proxy: "http://p:1",
    });
    expect(
      pipSettings({ ...environment, PIP_INDEX_URL: "https://four/simple", PIP_EXTRA_INDEX_URL: "https://five" }),
    ).toMatchObject({
      indexes: ["https://four/simple", "https://five"],
    });
  });
});
