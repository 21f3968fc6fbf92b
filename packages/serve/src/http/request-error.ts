/** Why a request gets no prediction: the HTTP status and one sentence for the client. */
export class RequestError extends Error {
  override readonly name = "RequestError";
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

/** 503: the client may try again after a second. */
export function busy(message: string): RequestError {
  return new RequestError(503, message, { "Retry-After": "1" });
}
