import { RequestError } from "../http/request-error.ts";
import { readInferBody, type InferBody, type Port } from "../protocols/open-inference-body.ts";
import { readPredictBody, type PredictBody } from "../protocols/tensorflow-serving-body.ts";
import { type Unwritten, writeJson } from "../protocols/write-json.ts";

/** Reading the body of a request, or writing an answer. */
export type Work =
  | { readonly do: "predict"; readonly bytes: Uint8Array; readonly names: readonly string[] }
  | {
      readonly do: "infer";
      readonly bytes: Uint8Array;
      readonly ports: readonly Port[];
      readonly jsonLength: number | undefined;
    }
  | { readonly do: "write"; readonly answer: Unwritten };

export type Done = PredictBody | InferBody | Uint8Array<ArrayBuffer>;

/** What a thread answers: what it did, or the error as plain values. */
export type Reply = { readonly done: Done } | { readonly status: number; readonly message: string };

export function doWork(work: Work): Done {
  if (work.do === "predict") return readPredictBody(work.bytes, work.names);
  if (work.do === "infer") return readInferBody(work.bytes, work.ports, work.jsonLength);
  return new TextEncoder().encode(writeJson(work.answer));
}

export function replyTo(work: Work): Reply {
  try {
    return { done: doWork(work) };
  } catch (error) {
    if (!(error instanceof RequestError)) throw error;
    return { status: error.status, message: error.message };
  }
}
