import { RequestError } from "../http/request-error.ts";
import { readInferBody, type InferBody } from "../protocols/open-inference-body.ts";
import { readPredictBody, type PredictBody } from "../protocols/tensorflow-serving-body.ts";

/** The body of a request and how it is read. */
export type Unread =
  | { readonly kind: "predict"; readonly bytes: Uint8Array; readonly names: readonly string[] }
  | { readonly kind: "infer"; readonly bytes: Uint8Array; readonly jsonLength: number | undefined };

/** What a thread answers: the body, or the error as plain values. */
export type Read = { readonly body: PredictBody | InferBody } | { readonly status: number; readonly message: string };

export function parse(unread: Unread): PredictBody | InferBody {
  return unread.kind === "predict"
    ? readPredictBody(unread.bytes, unread.names)
    : readInferBody(unread.bytes, unread.jsonLength);
}

export function parseToPlain(unread: Unread): Read {
  try {
    return { body: parse(unread) };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { status: error.status, message: error.message };
  }
}
