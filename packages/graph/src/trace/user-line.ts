const ignored = /node_modules|^node:|packages[\\/]graph[\\/](src|dist)[\\/]|@convkit[\\/]graph/;
const seen = new Map<string, string>();

/** " at file:line", or nothing if there is no line. */
export function place(line: string): string {
  return line === "" ? "" : ` at ${line}`;
}

/** The file and the function of each frame above the caller, innermost first. */
export function callerFrames(): { file: string; name: string }[] {
  const { prepareStackTrace } = Error;
  let frames: { file: string; name: string }[] = [];
  Error.prepareStackTrace = (_, sites) => {
    frames = sites.slice(1).map((site) => ({ file: site.getFileName() ?? "", name: site.getFunctionName() ?? "" }));
    return "";
  };
  try {
    void new Error("here").stack;
    return frames;
  } finally {
    Error.prepareStackTrace = prepareStackTrace as NonNullable<typeof prepareStackTrace>;
  }
}

/** The most frames between an op and the user's line: tfjs nests deeply. */
const DEPTH = 80;

/**
 * The line of the user's code that is running, as "file:line:column", or "" if all frames are from libraries. Frames
 * are inspected unformatted, since formatting (source maps) costs far more than recording an op; each line is formatted
 * once.
 */
export function userLine(): string {
  const { prepareStackTrace, stackTraceLimit } = Error;
  let index = -1;
  let key = "";
  Error.stackTraceLimit = DEPTH;
  Error.prepareStackTrace = (_, sites) => {
    index = sites.findIndex((site) => !ignored.test(site.getFileName() ?? "node:internal"));
    const site = sites[index];
    if (site !== undefined) key = `${site.getFileName()}:${site.getLineNumber()}:${site.getColumnNumber()}`;
    return "";
  };
  try {
    void new Error("here").stack;
    Error.prepareStackTrace = prepareStackTrace as NonNullable<typeof prepareStackTrace>;
    if (index < 0) return "";
    let line = seen.get(key);
    if (line === undefined) {
      const frame = (new Error("here").stack ?? "").split("\n")[index + 1] ?? "";
      line = /\(?((?:file:\/\/)?[^()\s]+:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace("file://", "") ?? key;
      seen.set(key, line);
    }
    return line;
  } finally {
    Error.prepareStackTrace = prepareStackTrace as NonNullable<typeof prepareStackTrace>;
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** The user's line of each op of a trace. Finding it walks the stack, so it is held while no other code of the user's runs. */
export class UserLines {
  #held: string | undefined;

  get current(): string {
    return this.#held ?? userLine();
  }

  /** Runs `body`, in which all ops have the current line. */
  hold<T>(body: () => T): T {
    const before = this.#held;
    this.#held = this.current;
    try {
      return body();
    } finally {
      this.#held = before;
    }
  }
}
