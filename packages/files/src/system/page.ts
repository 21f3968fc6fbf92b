import { sha256 as hashed } from "@noble/hashes/sha2.js";
import { noFileSystem } from "../no-file-system.ts";
import type * as node from "./node.ts";

/** A page has no files: each function that would touch one refuses. */
const refuse = async (path: unknown): Promise<never> => {
  throw noFileSystem(path);
};

export const appendFile = refuse;
export const open = refuse;
export const readdir = refuse;
export const readFile = refuse;
export const rename = refuse;
export const rm = refuse;
export const stat = refuse;
export const truncate = refuse;

/** No file exists in a page. */
export function existsSync(_path: unknown): boolean {
  return false;
}

export function hostname(): string {
  return globalThis.location?.hostname ?? "page";
}

export const processId = 0;

export function warn(line: string): void {
  console.warn(line);
}

/** The last part of a path with slashes, without an ending `suffix`. */
export function basename(path: string, suffix = ""): string {
  const name = path.replace(/\/+$/u, "").split("/").at(-1) ?? "";
  return suffix !== "" && name !== suffix && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}

/** All parts of a path but the last. */
export function dirname(path: string): string {
  const parts = path.replace(/\/+$/u, "").split("/");
  if (parts.length === 1) return path.startsWith("/") ? "/" : ".";
  return parts.slice(0, -1).join("/") || "/";
}

/** The last dot of a name and what follows; empty where there is none, or only at the beginning. */
export function extname(path: string): string {
  const name = basename(path);
  const dot = name.lastIndexOf(".");
  return dot <= 0 || name === ".." ? "" : name.slice(dot);
}

/** Parts of a path as one, with `.` and `..` resolved. */
export function join(...parts: string[]): string {
  const whole = parts.filter((part) => part !== "").join("/");
  const isAbsolute = whole.startsWith("/");
  const names: string[] = [];
  for (const name of whole.split("/")) {
    if (name === "" || name === ".") continue;
    if (name !== "..") names.push(name);
    else if (names.length > 0 && names.at(-1) !== "..") names.pop();
    else if (!isAbsolute) names.push(name);
  }
  return `${isAbsolute ? "/" : ""}${names.join("/")}${whole.endsWith("/") && names.length > 0 ? "/" : ""}` || ".";
}

const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** The checksum of zip, of bytes or of a text as UTF-8; `before` is the checksum of what came before. */
export function crc32(data: ArrayBufferView | string, before = 0): number {
  const bytes =
    typeof data === "string"
      ? new TextEncoder().encode(data)
      : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let value = ~before;
  for (const byte of bytes) value = table[(value ^ byte) & 255]! ^ (value >>> 8);
  return ~value >>> 0;
}

export function sha256(bytes: Uint8Array): string {
  return hexadecimal(hashed(bytes));
}

export function newSha256(): node.Sha256 {
  const hash = hashed.create();
  return { update: (bytes) => void hash.update(bytes), digest: () => hexadecimal(hash.digest()) };
}

function hexadecimal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export type Sha256 = node.Sha256;

export type FileHandle = node.FileHandle;
