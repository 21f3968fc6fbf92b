import type { CommandEntry, CommandTree } from "./command.ts";
import { globalOptionTable } from "./global-options.ts";
import { flagOf, type OptionOf, type OptionTable } from "./option.ts";

/** A word that may stand next on a command line. */
export interface Completion {
  readonly word: string;
  readonly about: string;
}

/** What may stand next; `files` says that it may also be a path. */
export interface Completions {
  readonly words: readonly Completion[];
  readonly files: boolean;
}

/** Gives the words that may stand for an argument, such as the names of the zoo for `model`. */
export type ArgumentWords = (argument: string) => Promise<readonly string[]>;

/**
 * What may stand for the last of `words`, which may be empty: a command, an option, an option's value or an argument. Loads only
 * the file of the command that the line names.
 */
export async function completionsFor(
  words: readonly string[],
  tree: CommandTree,
  argumentWords: ArgumentWords,
): Promise<Completions> {
  const last = words.at(-1) ?? "";
  const line = words.slice(0, -1);
  const { entry, commands, rest } = calledCommand(line, tree);
  const options: OptionTable = { ...(entry && (await entry.load()).options), ...globalOptionTable };
  const asked = valueOf(line.at(-1), options);
  const found = async (): Promise<Completions> => {
    if (asked !== undefined) return valuesOf(asked);
    if (last.startsWith("-")) return { words: optionWords(options), files: false };
    if (commands !== undefined) return { words: commandWords(commands), files: false };
    return argumentsOf(entry, positional(rest, options).length, argumentWords);
  };
  const { words: all, files } = await found();
  return { words: all.filter(({ word }) => word.startsWith(last)), files };
}

/** The command that a line names and the words after it; or the commands that it may name next. */
function calledCommand(line: readonly string[], tree: CommandTree) {
  let commands: CommandTree | undefined = tree;
  for (let place = 0; place < line.length; place += 1) {
    const word = line[place]!;
    if (word.startsWith("-")) {
      if (valueOf(word, globalOptionTable) !== undefined) place += 1;
      continue;
    }
    const next: CommandTree[string] | undefined = Object.hasOwn(commands, word) ? commands[word] : undefined;
    if (next === undefined) return { entry: undefined, commands: undefined, rest: [] };
    if (!("commands" in next)) return { entry: next, commands: undefined, rest: line.slice(place + 1) };
    commands = next.commands;
  }
  return { entry: undefined, commands, rest: [] };
}

/** The option that a word names, if it takes a value. */
function valueOf(word: string | undefined, options: OptionTable): OptionOf<unknown> | undefined {
  const found = Object.entries(options).find(([name]) => flagOf(name) === word)?.[1];
  return found === undefined || found.value === "" ? undefined : found;
}

/** The words that are neither options nor their values. */
function positional(words: readonly string[], options: OptionTable): string[] {
  return words.filter(
    (word, place) => !word.startsWith("-") && (place === 0 || valueOf(words[place - 1], options) === undefined),
  );
}

async function valuesOf({ choices, words, value }: OptionOf<unknown>): Promise<Completions> {
  const known = choices ?? (await words?.()) ?? [];
  const files = choices === undefined && /file|folder/.test(value);
  return { words: known.map((word) => ({ word, about: "" })), files };
}

function optionWords(options: OptionTable): Completion[] {
  return Object.entries(options).map(([name, { about, negated = false }]) => ({
    word: negated ? flagOf(name).replace("--", "--no-") : flagOf(name),
    about,
  }));
}

function commandWords(commands: CommandTree): Completion[] {
  return Object.entries(commands).map(([word, { about }]) => ({ word, about }));
}

async function argumentsOf(
  entry: CommandEntry | undefined,
  place: number,
  argumentWords: ArgumentWords,
): Promise<Completions> {
  const names = entry === undefined || entry.usage === "" ? [] : entry.usage.split(" ");
  const name = names[Math.min(place, names.length - 1)];
  if (name === undefined || (place >= names.length && !name.includes("..."))) return { words: [], files: false };
  const argument = name.replaceAll(/[<>[\].]/g, "");
  const words = await argumentWords(argument);
  return { words: words.map((word) => ({ word, about: "" })), files: !["name", "shell", "pattern"].includes(argument) };
}
