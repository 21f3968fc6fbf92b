import { TrainerError } from "../trainer-error.ts";

/** Where a tracker's server listens, and the headers of each request. */
export interface TrackerServer {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Sends a request with JSON and returns the JSON of the answer. Throws a `TrainerError` for another status than 200 to 299. */
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
  const text = await answer.text();
  if (!answer.ok) throw new RefusedRequest(answer.status, path, text);
  try {
    return JSON.parse(text === "" ? "{}" : text) as unknown;
  } catch {
    throw new TrainerError(`${path} answered no JSON`);
  }
}

/** A server answered with a status that is no success. */
export class RefusedRequest extends TrainerError {
  readonly status: number;

  constructor(status: number, path: string, text: string) {
    const code = /"(?:error_code|error)"\s*:\s*"([^"]{1,80})"/.exec(text)?.[1];
    super(`${path} answered ${status}${code === undefined ? "" : ` ${code}`}`);
    this.status = status;
  }
}
