import { createHash, timingSafeEqual } from "node:crypto";
import { RequestError } from "./request-error.ts";

/** Throws a 401 unless the header `Authorization` holds the token; takes as long for every wrong one. */
export function checkToken(given: string | undefined, token: string): void {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  const [, sent = ""] = /^bearer (.+)$/i.exec(given ?? "") ?? [];
  if (timingSafeEqual(hash(sent), hash(token))) return;
  throw new RequestError(401, "Expected the server's token as Authorization: Bearer ….", {
    "WWW-Authenticate": "Bearer",
  });
}
