import { existsSync, readFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";

/** The package index that pip asks by default. */
const defaultIndex = "https://pypi.org/simple";

/** Those of pip's settings that decide where a wheel comes from. */
export interface PipSettings {
  /** The package indexes, in the order in which they are asked. */
  readonly indexes: readonly string[];
  /** Local folders with wheels. */
  readonly folders: readonly string[];
  /** A file of certificates to trust besides Node's. */
  readonly certificates?: string | undefined;
  readonly proxy?: string | undefined;
}

/**
 * pip's settings as pip finds them: configuration files (system, user, virtual environment, `PIP_CONFIG_FILE`), then
 * `PIP_…` variables. pip itself need not be there.
 */
export function pipSettings(env: NodeJS.ProcessEnv = process.env): PipSettings {
  const values = new Map<string, string>();
  for (const file of configurationFiles(env)) {
    for (const section of ["global", "download"])
      for (const [name, value] of sectionsOf(file).get(section) ?? []) values.set(name, value);
  }
  for (const [name, value] of Object.entries(env)) {
    if (name.startsWith("PIP_") && value) values.set(optionName(name.slice("PIP_".length)), value);
  }
  const words = (name: string) => values.get(name)?.split(/\s+/).filter(Boolean) ?? [];
  const isOffline = /^(1|true|yes|on|t|y)$/i.test(values.get("no-index") ?? "");
  return {
    indexes: isOffline ? [] : [values.get("index-url") ?? defaultIndex, ...words("extra-index-url")],
    folders: words("find-links").flatMap((link) => {
      const folder = link.startsWith("file:") ? new URL(link).pathname : link;
      return path.isAbsolute(folder) ? [folder] : [];
    }),
    certificates:
      values.get("cert") ?? (env["REQUESTS_CA_BUNDLE"] || env["CURL_CA_BUNDLE"] || env["SSL_CERT_FILE"] || undefined),
    proxy: values.get("proxy"),
  };
}

/** pip's configuration files, the one that counts most last. */
function configurationFiles(env: NodeJS.ProcessEnv): string[] {
  const own = env["PIP_CONFIG_FILE"];
  if (own === os.devNull) return [];
  const home = env["HOME"] ?? os.homedir();
  const shared = (env["XDG_CONFIG_DIRS"] || "/etc/xdg").split(path.delimiter).toReversed();
  const system =
    process.platform === "darwin"
      ? ["/Library/Application Support/pip/pip.conf"]
      : [...shared.map((folder) => path.join(folder, "pip", "pip.conf")), "/etc/pip.conf"];
  const user = [
    path.join(home, ".pip", "pip.conf"),
    ...(process.platform === "darwin" ? [path.join(home, "Library/Application Support/pip/pip.conf")] : []),
    path.join(env["XDG_CONFIG_HOME"] || path.join(home, ".config"), "pip", "pip.conf"),
  ];
  return [
    ...system,
    ...(own && existsSync(own) ? [] : user),
    ...(env["VIRTUAL_ENV"] ? [path.join(env["VIRTUAL_ENV"], "pip.conf")] : []),
    ...(own ? [own] : []),
  ];
}

/** The sections of an INI file; empty if it cannot be read. An indented line continues the value before it. */
function sectionsOf(file: string): Map<string, Map<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return sections;
  }
  let section = new Map<string, string>();
  let last: string | undefined;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*([#;]|$)/.test(line)) continue;
    const title = /^\[(.+)\]\s*$/.exec(line)?.[1];
    const [, name, value] = /^([^\s:=][^:=]*?)\s*[:=]\s*(.*)$/.exec(line) ?? [];
    if (title !== undefined) {
      section = sections.get(title) ?? new Map<string, string>();
      sections.set(title, section);
      last = undefined;
    } else if (/^\s/.test(line) && last !== undefined) section.set(last, `${section.get(last)} ${line.trim()}`.trim());
    else if (name !== undefined && value !== undefined) section.set((last = optionName(name)), value.trim());
  }
  return sections;
}

function optionName(name: string): string {
  return name.toLowerCase().replaceAll("_", "-").replace(/^-+/, "");
}
