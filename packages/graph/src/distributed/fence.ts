import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { BlockList, isIP } from "node:net";
import { networkInterfaces } from "node:os";
import { foreignFunctions } from "@convkit/engine/internal";
import { bytesAt, tensorflow } from "../native/c-api.ts";
import type { Handle } from "../native/c-api.ts";

/**
 * Whose connections a worker's server takes: those to its own address alone, those of this machine (for `localhost`), or those to any address
 * of the machine.
 */
export type Reach = "address" | "machine" | "everywhere";

/**
 * Lets the server that listens on an address's port take connections to that address alone. TensorFlow's server binds to all interfaces
 * whatever its address is, so the kernel drops the other packets by a filter on the socket. Returns `everywhere`, and changes nothing, for
 * names other than `localhost`, for addresses that this machine does not have (behind a translation of addresses), and where the system has
 * no such filters, as all but Linux.
 */
export function fence(address: string): Reach {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon).replace(/^\[|\]$/g, "");
  const filter = host === "localhost" ? loopbackFilter : isOwn(host) ? addressFilter(host) : undefined;
  if (filter === undefined || process.platform !== "linux") return "everywhere";
  const sockets = listening(Number(address.slice(colon + 1)));
  const fenced = sockets.filter((socket) => attach(socket, filter));
  if (fenced.length === 0 || fenced.length < sockets.length) return "everywhere";
  return host === "localhost" ? "machine" : "address";
}

/** True for an IP address of this machine. */
function isOwn(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return false;
  const own = new BlockList();
  own.addSubnet("127.0.0.0", 8, "ipv4");
  for (const { address, family: kind } of Object.values(networkInterfaces()).flatMap((each) => each ?? []))
    own.addAddress(address, kind === "IPv6" ? "ipv6" : "ipv4");
  return own.check(host, family === 6 ? "ipv6" : "ipv4");
}

/** The descriptors of this process's sockets that listen on a port. */
function listening(port: number): number[] {
  const end = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const inodes = new Set(
    ["tcp", "tcp6"].flatMap((table) => {
      const lines = textOf(`/proc/self/net/${table}`).split("\n");
      const fields = lines.map((line) => line.trim().split(/\s+/));
      return fields.flatMap(([, local, , state, , , , , , inode]) =>
        local?.endsWith(end) === true && state === "0A" ? [`socket:[${inode}]`] : [],
      );
    }),
  );
  return readdirSync("/proc/self/fd").flatMap((descriptor) =>
    inodes.has(linkOf(`/proc/self/fd/${descriptor}`)) ? [Number(descriptor)] : [],
  );
}

/** A file's text; nothing where the machine has none, as `tcp6` without IPv6. */
function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** Where a link leads; nothing if it is gone, as the descriptor by which the folder itself was read. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}

/** One instruction of a classic BPF program (`linux/filter.h`): code, jump if true, jump if false, operand. */
type Instruction = readonly [code: number, ifTrue: number, ifFalse: number, operand: number];

const [loadByte, loadWord, and, shiftRight, jumpIfEqual, give] = [0x30, 0x20, 0x54, 0x74, 0x15, 0x06];
/** Where the packet's IP header begins, as the kernel counts (`SKF_NET_OFF`). */
const ipHeader = -0x10_00_00;
const [destination4, destination6] = [16, 24];

const version: readonly Instruction[] = [
  [loadByte, 0, 0, ipHeader],
  [shiftRight, 0, 0, 4],
];
const drop: Instruction = [give, 0, 0, 0];
const take: Instruction = [give, 0, 0, 0xff_ff_ff_ff];

/** Takes what goes to 127.0.0.0/8 or ::1. */
const loopbackFilter: readonly Instruction[] = [
  ...version,
  [jumpIfEqual, 0, 3, 4],
  [loadWord, 0, 0, ipHeader + destination4],
  [and, 0, 0, 0xff_00_00_00],
  [jumpIfEqual, 8, 9, 0x7f_00_00_00],
  ...[0, 0, 0, 1].flatMap((word, place): Instruction[] => [
    [loadWord, 0, 0, ipHeader + destination6 + 4 * place],
    [jumpIfEqual, 0, 7 - 2 * place, word],
  ]),
  take,
  drop,
];

/** Takes what goes to one IP address. */
function addressFilter(host: string): readonly Instruction[] {
  const isFour = isIP(host) === 4;
  const words = isFour ? [wordOf(host.split(".").map(Number))] : wordsOf6(host);
  const checks = words.flatMap((word, place): Instruction[] => [
    [loadWord, 0, 0, ipHeader + (isFour ? destination4 : destination6) + 4 * place],
    [jumpIfEqual, 0, 2 * (words.length - place) - 1, word],
  ]);
  return [...version, [jumpIfEqual, 0, checks.length + 1, isFour ? 4 : 6], ...checks, take, drop];
}

function wordOf(bytes: readonly number[]): number {
  return bytes.reduce((word, byte) => word * 256 + byte, 0);
}

/** The four words of an IPv6 address, which `URL` writes without an IPv4 part. */
function wordsOf6(host: string): number[] {
  const plain = new URL(`http://[${host}]`).hostname.slice(1, -1);
  const [head, tail] = plain.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const zeros = tail === undefined ? [] : Array<string>(8 - head!.length - tail.length).fill("0");
  const parts = [...head!, ...zeros, ...(tail ?? [])].map((part) => Number.parseInt(part, 16));
  return [0, 2, 4, 6].map((place) => parts[place]! * 0x1_00_00 + parts[place + 1]!);
}

/** Puts a filter on a socket; false where the system has none. */
function attach(socket: number, filter: readonly Instruction[]): boolean {
  const tf = tensorflow();
  const setOption = foreignFunctions()
    .load(null)
    .func("int setsockopt(int socket, int level, int name, uintptr_t value, uint32_t length)");
  // `struct sock_fprog`: the number of instructions and where they are; here they follow it.
  const size = 16 + 8 * filter.length;
  const address = tf.calloc(1, size) as Handle;
  try {
    const bytes = bytesAt(address, size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, size);
    view.setUint16(0, filter.length, true);
    view.setBigUint64(8, BigInt(address + 16), true);
    for (const [place, [code, ifTrue, ifFalse, operand]] of filter.entries()) {
      const at = 16 + 8 * place;
      view.setUint16(at, code, true);
      view.setUint8(at + 2, ifTrue);
      view.setUint8(at + 3, ifFalse);
      view.setUint32(at + 4, operand >>> 0, true);
    }
    const [SOL_SOCKET, SO_ATTACH_FILTER] = [1, 26];
    return setOption(socket, SOL_SOCKET, SO_ATTACH_FILTER, address, 16) === 0;
  } finally {
    tf.free(address);
  }
}
