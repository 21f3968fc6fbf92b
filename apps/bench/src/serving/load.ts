import { connect, type Socket } from "node:net";
import { quantile } from "../results/statistics.ts";
import { BenchError } from "../usage-error.ts";

/** A request as it goes over the wire, and how often it is asked. */
export interface Load {
  readonly port: number;
  readonly request: Buffer;
  /** Connections, each of which asks the next request when it has its answer. */
  readonly connections: number;
  readonly seconds: number;
  /** It ends before its seconds are over once there are this many answers. */
  readonly answers?: number;
}

/** What clients saw. */
export interface Seen {
  /** Answers a second. */
  readonly rate: number;
  /** Milliseconds from a request to its whole answer. */
  readonly p50: number;
  readonly p99: number;
  readonly answers: number;
}

/** The bytes of a POST request on a connection that is kept. */
export function postRequest(path: string, type: string, body: Uint8Array, headers: readonly string[] = []): Buffer {
  const lines = [`POST ${path} HTTP/1.1`, "Host: 127.0.0.1", `Content-Type: ${type}`, `Content-Length: ${body.length}`];
  return Buffer.concat([Buffer.from([...lines, ...headers, "", ""].join("\r\n")), body]);
}

/**
 * Asks one request again and again. The client is a bare socket, which costs the server's processors little. Throws for an answer other
 * than 200.
 */
export async function ask({ port, request, connections, seconds, answers = Infinity }: Load): Promise<Seen> {
  const times: number[] = [];
  const start = performance.now();
  const end = start + 1000 * seconds;
  const client = async (): Promise<void> => {
    const connection = await opened(port);
    try {
      while (performance.now() < end && times.length < answers) {
        const before = performance.now();
        await connection.exchange(request);
        times.push(performance.now() - before);
      }
    } finally {
      connection.socket.destroy();
    }
  };
  await Promise.all(Array.from({ length: connections }, client));
  const took = (performance.now() - start) / 1000;
  return { rate: times.length / took, p50: quantile(times, 0.5), p99: quantile(times, 0.99), answers: times.length };
}

/** One request, and the body of its answer. */
export async function askOnce(port: number, request: Buffer): Promise<Buffer> {
  const { socket, exchange } = await opened(port);
  try {
    return await exchange(request);
  } finally {
    socket.destroy();
  }
}

interface Connection {
  readonly socket: Socket;
  /** Sends a request: the body of its answer. */
  exchange(request: Buffer): Promise<Buffer>;
}

async function opened(port: number): Promise<Connection> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay();
  await new Promise<void>((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  let chunks: Buffer[] = [];
  let size = 0;
  /** Bytes of the whole answer, once its head is there. */
  let whole: number | undefined;
  let bodyAt = 0;
  let waiting: { resolve(body: Buffer): void; reject(error: Error): void } | undefined;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    try {
      whole ??= wholeSize();
    } catch (error) {
      waiting?.reject(error as Error);
    }
    if (whole === undefined || size < whole) return;
    const body = Buffer.concat(chunks).subarray(bodyAt, whole);
    [chunks, size, whole] = [[], 0, undefined];
    waiting?.resolve(body);
  });
  const wholeSize = (): number | undefined => {
    const said = Buffer.concat(chunks);
    const at = said.indexOf("\r\n\r\n");
    if (at < 0) return undefined;
    const head = said.toString("latin1", 0, at);
    const length = /^content-length: *(\d+)/im.exec(head)?.[1];
    if (!head.startsWith("HTTP/1.1 200 ") || length === undefined)
      throw new BenchError(`A server answered ${said.toString("latin1", 0, 400).replaceAll(/\s+/g, " ")}.`);
    bodyAt = at + 4;
    return bodyAt + Number(length);
  };
  const fail = (error: Error): void => waiting?.reject(error);
  socket.on("error", fail).on("close", () => fail(new BenchError("A server closed a connection.")));
  const exchange = (request: Buffer): Promise<Buffer> =>
    new Promise((resolve, reject) => {
      waiting = { resolve, reject };
      socket.write(request);
    });
  return { socket, exchange };
}
