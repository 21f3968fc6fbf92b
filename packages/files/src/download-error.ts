import { ConvkitError } from "@convkit/errors";

/** A file that cannot be fetched; the message says where to put it by hand. */
export class DownloadError extends ConvkitError {
  override readonly name = "DownloadError";
  readonly code = "CONVKIT_DOWNLOAD";
  readonly url: string;
  /** The file that was to be written. */
  readonly path: string;

  constructor(url: string, path: string, problem: string, options?: ErrorOptions) {
    super(`${url} ${problem}`, options);
    this.url = url;
    this.path = path;
  }
}
