import { printable, printableJson } from "./printable.ts";

/** The output of a command: results go to standard output, everything else to standard error. */
export interface Output {
  readonly json: boolean;
  readonly quiet: boolean;
  /** Whether a progress bar can be drawn. */
  readonly live: boolean;
  /** Prints the command's only result: the data with --json, else the text. */
  result(data: unknown, text: string): void;
  /** Prints a line about the progress, as JSON with --json; nothing with --quiet. */
  note(line: string): void;
  /** A machine-readable line of progress; only with --json and without --quiet. */
  event(data: unknown): void;
}

/** Output to the process's own streams. */
export function processOutput({ json, quiet }: { readonly json: boolean; readonly quiet: boolean }): Output {
  return {
    json,
    quiet,
    live: !json && !quiet && process.stderr.isTTY && process.env["TERM"] !== "dumb",
    result(data, text) {
      process.stdout.write(`${json ? printableJson(data, 2) : printable(text)}\n`);
    },
    note(line) {
      if (!quiet) process.stderr.write(`${json ? printableJson({ event: "note", text: line }) : printable(line)}\n`);
    },
    event(data) {
      if (json && !quiet) process.stderr.write(`${printableJson(data)}\n`);
    },
  };
}
