import { type Command, Option } from "commander";
import { imageSize, notNegative, positive, wholeFrom } from "./parsers.ts";

/** One option of a command: its text in `--help`, and how its value is parsed. Its name is its key in the table. */
export interface OptionOf<T> {
  /** The text after the name, for example `<n>`; empty for a switch. */
  readonly value: string;
  readonly about: string;
  readonly required?: boolean;
  readonly choices?: readonly string[];
  /** Names that a shell offers for the value, which may also be another text. */
  words?(): Promise<readonly string[]>;
  /** Parses the text. `before` is the value so far, for an option that may be given several times. */
  read?(text: string, before: T | undefined): T;
  /** `--no-name`: the option is true unless given. */
  readonly negated?: boolean;
}

/** The options of a command by name, in camelCase. */
export type OptionTable = Readonly<Record<string, OptionOf<unknown>>>;

/** The values of a table of options; optional values may be missing. */
export type ValuesOf<Table extends OptionTable> = {
  readonly [Name in keyof Table]: Table[Name] extends { readonly required: true }
    ? ValueOf<Table[Name]>
    : ValueOf<Table[Name]> | undefined;
};

type ValueOf<Each> = Each extends OptionOf<infer T> ? T : never;

/** An option whose text is used unchanged. */
export function text(value: string, about: string): OptionOf<string> {
  return { value, about };
}

/** The same option with names that a shell offers for its value. */
export function offering<T>(option: OptionOf<T>, words: () => Promise<readonly string[]>): OptionOf<T> {
  return { ...option, words };
}

/** An option without a value. */
export function flag(about: string): OptionOf<boolean> {
  return { value: "", about };
}

/** `--no-name`. */
export function negated(about: string): OptionOf<boolean> {
  return { value: "", about, negated: true };
}

/** A whole number that is at least `least`. */
export function whole(least: number, value: string, about: string): OptionOf<number> {
  return { value, about, read: wholeFrom(least) };
}

/** A number above 0. */
export function aboveZero(value: string, about: string): OptionOf<number> {
  return { value, about, read: positive };
}

/** A number from 0. */
export function fromZero(value: string, about: string): OptionOf<number> {
  return { value, about, read: notNegative };
}

/** One of several words. */
export function choice<const Word extends string>(
  choices: readonly Word[],
  value: string,
  about: string,
): OptionOf<Word> {
  return { value, about, choices };
}

/** An image size such as 224x224x3. */
export function size(about: string): OptionOf<[number, number, number]> {
  return { value: "<HxWxC>", about, read: imageSize };
}

/** An option that must be given. */
export function required<Each extends OptionOf<unknown>>(option: Each): Each & { readonly required: true } {
  return { ...option, required: true };
}

/** `--data-from` for `dataFrom`. */
export function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** Adds a table of options to a command. */
export function addOptions(command: Command, table: OptionTable): void {
  for (const [name, { value, about, required = false, choices, read, negated = false }] of Object.entries(table)) {
    const long = negated ? flagOf(name).replace("--", "--no-") : flagOf(name);
    const option = new Option(value === "" ? long : `${long} ${value}`, about);
    if (required) option.makeOptionMandatory();
    if (choices !== undefined) option.choices(choices);
    if (read !== undefined) option.argParser(read);
    command.addOption(option);
  }
}
