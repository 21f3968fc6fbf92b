import { EngineError } from "../engine-error.ts";
import { wheelFile, type Wheel } from "./wheels.ts";

/**
 * The address of a wheel on a package index (PEP 503 and 691: JSON, else HTML); undefined if the index lacks it. Throws
 * an EngineError if the index does not answer.
 */
export async function wheelAddress(
  wheel: Wheel,
  index: string,
  fetchIndex: typeof fetch,
  signal?: AbortSignal,
): Promise<string | undefined> {
  if (!URL.canParse(index))
    throw new EngineError(`"${index}" is no address of a package index: correct PIP_INDEX_URL or pip.conf.`);
  const page = new URL(index);
  const shown = withoutLogin(page);
  page.username = page.password = "";
  page.pathname = `${page.pathname.replace(/\/$/, "")}/${wheel.project}/`;
  const accept = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";
  let response: Response;
  try {
    response = await fetchIndex(page, { headers: { accept }, ...(signal && { signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const reason = ((error as Error).cause ?? error) as NodeJS.ErrnoException;
    throw new EngineError(
      `The package index ${shown} does not answer (${reason.code ?? reason.message}): check the network, or pip's index, proxy and certificate settings (PIP_INDEX_URL, pip.conf, HTTPS_PROXY, PIP_CERT).`,
      { cause: error },
    );
  }
  if (response.status === 404) return undefined;
  if (!response.ok)
    throw new EngineError(
      `The package index ${shown} answers with status ${response.status}: check its address and login.`,
    );
  const text = await response.text();
  const href = (response.headers.get("content-type") ?? "").includes("json")
    ? addressInJson(text, wheelFile(wheel), shown)
    : addressInHtml(text, wheelFile(wheel));
  return href === undefined ? undefined : new URL(href, response.url || page).href;
}

/** An address without its user and password, for messages. */
export function withoutLogin(address: string | URL): string {
  const url = new URL(address);
  url.username = url.password = "";
  return url.href;
}

function addressInJson(text: string, file: string, index: string): string | undefined {
  let page: { files?: readonly { filename?: unknown; url?: unknown }[] } | null;
  try {
    page = JSON.parse(text) as typeof page;
  } catch (error) {
    throw new EngineError(`The package index ${index} answers with text that is not JSON: check its address.`, {
      cause: error,
    });
  }
  const files: unknown = page?.files;
  if (!Array.isArray(files)) return undefined;
  const url = (files as { filename?: unknown; url?: unknown }[]).find((each) => each?.filename === file)?.url;
  return typeof url === "string" ? url : undefined;
}

/** In HTML, a file's name is the text of its link, and the end of its address. */
function addressInHtml(text: string, file: string): string | undefined {
  const links = [...text.matchAll(/<a\b[^>]*\bhref\s*=\s*(?:"([^"]*)"|'([^']*)')/gi)].map(([, one, two]) =>
    (one ?? two)!.replaceAll("&amp;", "&"),
  );
  return links.find(
    (link) =>
      decodeURIComponent(
        link
          .replace(/[?#].*$/, "")
          .split("/")
          .at(-1)!,
      ) === file,
  );
}
