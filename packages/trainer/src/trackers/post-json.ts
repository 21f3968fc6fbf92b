import { TrainerError } from "../trainer-error.ts";

/** Where a tracker's server listens, and the headers of each request. */
export interface TrackerServer {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Bytes that an answer may have: those of a tracker are some hundred. */
const mostBytes = 1 << 20;

/**
 * Sends a request with JSON and returns the JSON of the answer. Throws a `TrainerError` for another status than 200 to 299, for an
 * answer of more than 1 MiB, and for one that is no JSON.
 */
export async function requestJson(
  { url, headers }: TrackerServer,
  path: string,
  { method = "POST", body, signal }: { readonly method?: string; readonly body?: object; readonly signal: AbortSignal },
): Promise<unknown> {
  const answer = await fetch(`${url.replace(/\/+$/, "")}${path}`, {
    method,
    headers: { ...(body && { "content-type": "application/json" }), ...headers },
    ...(body && { body: JSON.stringify(body) }),
    signal,
  });
  const text = await textOf(answer, path);
  if (!answer.ok) throw new RefusedRequest(answer.status, path, text);
  try {
    return JSON.parse(text === "" ? "{}" : text) as unknown;
  } catch {
    throw new TrainerError(`${path} answered no JSON`);
  }
}

/** The text of an answer, which is left where it grows too long. */
async function textOf(answer: Response, path: string): Promise<string> {
  const decoder = new TextDecoder();
  let [text, bytes] = ["", 0];
  // Node and browsers read a body piece by piece only in this way.
  const reader = answer.body?.getReader();
  for (let part = await reader?.read(); part?.value !== undefined; part = await reader?.read()) {
    bytes += part.value.length;
    if (bytes > mostBytes) {
      await reader?.cancel();
      throw new TrainerError(`${path} answered more than ${mostBytes} bytes`);
    }
    text += decoder.decode(part.value, { stream: true });
  }
  return text + decoder.decode();
}

/** A server answered with a status that is no success. */
export class RefusedRequest extends TrainerError {
  readonly status: number;

  constructor(status: number, path: string, text: string) {
    const code = /"(?:error_code|error)"\s*:\s*"([\w .,:-]{1,80})"/.exec(text)?.[1];
    super(`${path} answered ${status}${code === undefined ? "" : ` ${code}`}`);
    this.status = status;
  }
}
