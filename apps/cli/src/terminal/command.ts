import { Command } from "commander";
import type { Context } from "./context.ts";
import { globalOptions, globalOptionTable } from "./global-options.ts";
import type { Interruption } from "./interrupt.ts";
import { addOptions, type OptionTable } from "./option.ts";
import { processOutput } from "./output.ts";

/** The exports of a command's file: its options, and its action. */
export interface CommandFile<Arguments extends readonly unknown[]> {
  readonly options?: OptionTable;
  /** True for a command that saves its work, or its answers, after a signal; any other one has a second to end. */
  readonly savesFirst?: boolean;
  // The file derives the type of its options from its own table.
  run(context: Context, options: never, ...args: Arguments): Promise<void> | void;
}

/** A command as `--help` lists it; its file is imported when it is called. */
export interface CommandEntry {
  readonly usage: string;
  readonly about: string;
  load(): Promise<CommandFile<never>>;
}

/** Commands that share their first word. */
export interface CommandGroup {
  readonly about: string;
  readonly commands: CommandTree;
}

export type CommandTree = Readonly<Record<string, CommandEntry | CommandGroup>>;

/** The arguments for a usage such as `<model> <images...>`. */
type ArgumentsOf<Usage extends string> = Usage extends ""
  ? []
  : Usage extends `${infer First} ${infer Rest}`
    ? [ArgumentOf<First>, ...ArgumentsOf<Rest>]
    : [ArgumentOf<Usage>];

type ArgumentOf<Text extends string> = Text extends `<${string}...>` | `[${string}...]`
  ? readonly string[]
  : Text extends `<${string}>`
    ? string
    : string | undefined;

/** Declares a command; the compiler checks that the action in its file takes the arguments of `usage`. */
export function command<const Usage extends string>(
  usage: Usage,
  about: string,
  load: () => Promise<CommandFile<ArgumentsOf<Usage>>>,
): CommandEntry {
  return { usage, about, load };
}

/** A command line, with the signal of the first Ctrl-C, and with `savesFirst`, by which a command says that it saves its work after it. */
export interface Line extends Pick<Interruption, "signal" | "savesFirst"> {
  readonly args: readonly string[];
}

/** Adds commands under `parent`. The options and the action of a command are added when the command line names it. */
export function addCommands(parent: Command, tree: CommandTree, line: Line): void {
  const entries = new Map<Command, CommandEntry>();
  for (const [name, entry] of Object.entries(tree)) {
    const child = quiet(new Command(name)).description(entry.about);
    parent.addCommand(child);
    if ("commands" in entry) {
      addOptions(child, globalOptionTable);
      addCommands(child, entry.commands, line);
    } else {
      if (entry.usage !== "") child.arguments(entry.usage);
      entries.set(child, entry);
    }
  }
  parent.hook("preSubcommand", async (_parent, child) => {
    const entry = entries.get(child);
    if (entry === undefined) return;
    const { options = {}, savesFirst = false, run } = await entry.load();
    if (savesFirst) line.savesFirst();
    addOptions(child, options);
    addOptions(child, globalOptionTable);
    const act = run as (context: Context, options: unknown, ...args: unknown[]) => Promise<void> | void;
    // The last two arguments are commander's own: the options and the command.
    child.action(async (...args: unknown[]) => {
      const context = contextOf(child, line);
      if (context.options.layers !== undefined)
        await (await import("../inputs/user-code.ts")).useUserCode(context.options.layers);
      await act(context, child.opts(), ...args.slice(0, -2));
    });
  });
}

/** A command that throws instead of printing and ending the process. */
export function quiet(made: Command): Command {
  return made
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError(false)
    .allowExcessArguments(false);
}

function contextOf(called: Command, { args, signal }: Line): Context {
  const options = globalOptions(called.optsWithGlobals());
  return { options, args, out: processOutput(options), signal };
}
