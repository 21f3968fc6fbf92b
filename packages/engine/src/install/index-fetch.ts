import { readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import tls from "node:tls";

import { EngineError } from "../engine-error.ts";
import type { PipSettings } from "./pip-settings.ts";

/**
 * Node's `fetch` with what pip honors and Node does not: a proxy (pip's setting, else `HTTPS_PROXY`, `HTTP_PROXY`,
 * `NO_PROXY`), pip's file of certificates, and the user and password of an index.
 */
export async function indexFetch({ indexes, certificates, proxy }: PipSettings): Promise<typeof fetch> {
  const ca = certificates === undefined ? undefined : trusted(certificates);
  const isProxied =
    proxy ?? ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"].find((name) => process.env[name]);
  // The package is loaded only where Node's own fetch does not do.
  const undici = ca === undefined && isProxied === undefined ? undefined : await import("undici");
  const dispatcher =
    undici &&
    new undici.EnvHttpProxyAgent({
      ...(proxy && { httpProxy: proxy, httpsProxy: proxy }),
      ...(ca && { connect: { ca }, requestTls: { ca }, proxyTls: { ca } }),
    });
  const logins = loginsOf(indexes);
  return (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const login = logins.get(url.host);
    const headers = new Headers(init?.headers);
    if (login !== undefined) headers.set("authorization", `Basic ${Buffer.from(login).toString("base64")}`);
    const options = { ...init, headers };
    return undici
      ? (undici.fetch(url, { ...options, dispatcher } as never) as unknown as Promise<Response>)
      : fetch(url, options);
  };
}

/** Node's certificates, those of `NODE_EXTRA_CA_CERTS`, and those of pip's file. */
function trusted(file: string): string[] {
  try {
    const extra = process.env["NODE_EXTRA_CA_CERTS"];
    return [...tls.rootCertificates, readFileSync(file, "utf8"), ...(extra ? [readFileSync(extra, "utf8")] : [])];
  } catch (error) {
    throw new EngineError(
      `The certificates that pip's settings name cannot be read (${(error as Error).message}): correct PIP_CERT or pip.conf.`,
      { cause: error },
    );
  }
}

/** `user:password` by host: from the indexes' URLs, else from the user's netrc file. */
function loginsOf(indexes: readonly string[]): Map<string, string> {
  const logins = new Map<string, string>();
  const known = netrc();
  for (const index of indexes) {
    if (!URL.canParse(index)) continue;
    const { host, hostname, username, password } = new URL(index);
    const login = username ? `${decodeURIComponent(username)}:${decodeURIComponent(password)}` : known.get(hostname);
    if (login !== undefined) logins.set(host, login);
  }
  return logins;
}

function netrc(): Map<string, string> {
  const logins = new Map<string, string>();
  try {
    const text = readFileSync(process.env["NETRC"] || path.join(os.homedir(), ".netrc"), "utf8");
    for (const [, host, rest] of text.matchAll(/\bmachine\s+(\S+)((?:\s+(?:login|password|account)\s+\S+)*)/g)) {
      const [login, password] = ["login", "password"].map(
        (word) => new RegExp(`\\b${word}\\s+(\\S+)`).exec(rest!)?.[1] ?? "",
      );
      logins.set(host!, `${login}:${password}`);
    }
  } catch {
    // Most users have no such file.
  }
  return logins;
}
