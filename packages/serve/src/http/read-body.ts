import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate } from "node:zlib";
import { busy, RequestError } from "./request-error.ts";

/** Reads the bodies of requests within the limits of one body, and of all bodies and answers at once. */
export interface BodyReader {
  /** The body, decompressed. `release` gives its memory back to the others. */
  read(incoming: IncomingMessage, signal: AbortSignal): Promise<{ readonly bytes: Buffer; release(): void }>;
  /** Counts an answer to the bytes that are held, until the returned function is called. Throws a 503 where there is no room. */
  hold(bytes: number): () => void;
}

const decompressors = { gzip: promisify(gunzip), deflate: promisify(inflate), br: promisify(brotliDecompress) };

export function createBodyReader(limit: number): BodyReader {
  /** Bytes of all bodies and answers that are held now. */
  let held = 0;
  const mostHeld = Math.max(8 * limit, 2 ** 28);
  const take = (bytes: number): void => {
    if (held + bytes > mostHeld) throw busy("The server holds as much data as it may: try again later.");
    held += bytes;
  };

  async function raw(incoming: IncomingMessage, signal: AbortSignal, keep: (bytes: number) => void): Promise<Buffer> {
    const declared = Number(incoming.headers["content-length"] ?? 0);
    if (declared > limit) throw tooLarge(limit);
    const chunks: Buffer[] = [];
    let size = 0;
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => fail(whileReading(signal.reason as Error));
      const onData = (chunk: Buffer): void => {
        size += chunk.length;
        try {
          if (size > limit) throw tooLarge(limit);
          keep(chunk.length);
          chunks.push(chunk);
        } catch (error) {
          fail(error as Error);
        }
      };
      const end = (): void => {
        signal.removeEventListener("abort", onAbort);
        incoming.off("data", onData);
      };
      const fail = (error: Error): void => {
        end();
        incoming.pause();
        reject(error);
      };
      if (signal.aborted) return onAbort();
      signal.addEventListener("abort", onAbort, { once: true });
      incoming.on("data", onData);
      incoming.once("end", () => (end(), resolve()));
      incoming.once("error", () => fail(new RequestError(400, "The request ended before its body did.")));
    });
    return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, size);
  }

  return {
    async read(incoming, signal) {
      let own = 0;
      const keep = (bytes: number): void => {
        take(bytes);
        own += bytes;
      };
      const release = (): void => {
        held -= own;
        own = 0;
      };
      try {
        const bytes = await raw(incoming, signal, keep);
        const whole = await decompressed(bytes, incoming.headers["content-encoding"], limit);
        if (whole !== bytes) keep(whole.length);
        return { bytes: whole, release };
      } catch (error) {
        release();
        throw error;
      }
    },
    hold(bytes) {
      take(bytes);
      return () => void (held -= bytes);
    },
  };
}

async function decompressed(bytes: Buffer, encoding: string | undefined, limit: number): Promise<Buffer> {
  if (encoding === undefined || encoding === "identity") return bytes;
  if (!Object.hasOwn(decompressors, encoding))
    throw new RequestError(415, "Content-Encoding: expected gzip, deflate, br or none.");
  try {
    return await decompressors[encoding as keyof typeof decompressors](bytes, { maxOutputLength: limit });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE") throw tooLarge(limit);
    throw new RequestError(400, `The body is not ${encoding}, as Content-Encoding says.`);
  }
}

/** A request that takes too long before its body is there is the client's fault. */
function whileReading(reason: Error): Error {
  if (!(reason instanceof RequestError) || reason.status !== 504) return reason;
  return new RequestError(408, "The body did not come in time.", { Connection: "close" });
}

function tooLarge(limit: number): RequestError {
  // The rest of the body is not read: the connection cannot be used again.
  return new RequestError(413, `The body is larger than ${limit} bytes, the most that this server takes.`, {
    Connection: "close",
  });
}
