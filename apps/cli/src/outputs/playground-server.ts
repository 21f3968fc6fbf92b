import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer, type Server, type ServerResponse } from "node:http";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pipeline } from "node:stream/promises";
import { fetchImagenetWeights } from "@convkit/weights";
import sirv from "sirv";
import { CliError } from "../terminal/usage-error.ts";

/** The weights that the page asks for, as the name of its network and of a file beside the page. */
const network = "mobilenet-v2";
const weightsPath = `/weights/${network}.h5`;

/** With these, the threads of the page share memory. */
const headers = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
  "x-content-type-options": "nosniff",
} as const;

interface PlaygroundOptions {
  /** Ends a download of weights. */
  readonly signal: AbortSignal;
  readonly onNote: (line: string) => void;
}

/** A server of the page, and of MobileNet's published weights, which it downloads into the cache when the page first asks for them. */
export function playgroundServer({ signal, onNote }: PlaygroundOptions): Server {
  // `dev`: the page may be built anew meanwhile.
  const page = sirv(pageFolder(), { dev: true, etag: true });
  let downloaded: Promise<string> | undefined;
  const weights = async (): Promise<string> => {
    onNote("The page asks for the weights of MobileNetV2, which are downloaded unless they are in the cache.");
    const { file } = await fetchImagenetWeights(network, { top: false, signal });
    return file;
  };
  return createServer((request, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    const isReading = request.method === "GET" || request.method === "HEAD";
    if (isReading && request.url === weightsPath) {
      downloaded ??= weights().finally(() => (downloaded = undefined));
      downloaded
        .then((file) => sendFile(response, file))
        .catch((error: Error) => {
          response.writeHead(503, { "content-type": "text/plain; charset=utf-8" }).end(error.message);
        });
    } else page(request, response, () => void response.writeHead(404).end());
  });
}

async function sendFile(response: ServerResponse, file: string): Promise<void> {
  const { size } = await stat(file);
  response.writeHead(200, { "content-type": "application/octet-stream", "content-length": size });
  // A page that is closed in between ends the stream.
  await pipeline(createReadStream(file), response).catch(() => undefined);
}

/** Where `@convkit/playground` has its built page. Throws where it was not built. */
function pageFolder(): string {
  const index = createRequire(import.meta.url).resolve("@convkit/playground/page");
  if (!existsSync(index)) throw new CliError(`The playground has not been built (no ${index}): run pnpm build.`);
  return dirname(index);
}
