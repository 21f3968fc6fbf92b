import { Command, CommanderError } from "commander";
import { commands } from "./commands/index.ts";
import { addCommands, type Line, quiet } from "./terminal/command.ts";
import { globalOptionTable } from "./terminal/global-options.ts";
import { guess } from "./terminal/guess.ts";
import { listenForInterrupt } from "./terminal/interrupt.ts";
import { addOptions } from "./terminal/option.ts";
import { printable } from "./terminal/printable.ts";
import { UsageError } from "./terminal/usage-error.ts";
import { version } from "./terminal/version.ts";

/** Runs one command line. Returns its exit status: 0 done, 1 failed, 2 bad usage, 130 interrupted, 143 terminated. */
export async function runCli(args: readonly string[]): Promise<number> {
  const interruption = listenForInterrupt();
  const { signal } = interruption;
  const { savesFirst } = interruption;
  const program = createProgram({ args, signal, savesFirst });
  try {
    await program.parseAsync([...args], { from: "user" });
    return signal.aborted ? interruption.status : 0;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return 0;
    if (signal.aborted) return interruption.status;
    const usage = error instanceof CommanderError || error instanceof UsageError;
    process.stderr.write(`${printable(args.includes("--debug") ? stackOf(error) : sentence(error, program, args))}\n`);
    return usage ? 2 : 1;
  } finally {
    interruption.release();
  }
}

/** Runs one command line, which ends early once `signal` fires. Throws what the command throws. */
export async function runCommand(args: readonly string[], signal: AbortSignal): Promise<void> {
  await createProgram({ args, signal, savesFirst: () => {} }).parseAsync([...args], { from: "user" });
}

function createProgram(line: Line): Command {
  const program = quiet(new Command("convkit"))
    .description("Convolutional networks in TypeScript on TensorFlow.")
    .version(version(), "-V, --version");
  addOptions(program, globalOptionTable);
  addCommands(program, commands, line);
  return program;
}

/** An error as one sentence; commander's messages get suggestions of correct names. */
function sentence(error: unknown, program: Command, args: readonly string[]): string {
  if (!(error instanceof CommanderError)) return `convkit: ${oneLine(messageOf(error))}`;
  const message = oneLine(error.message.replace(/^error: /, ""));
  const command = calledCommand(program, args);
  switch (error.code) {
    case "commander.unknownCommand":
    case "commander.help": {
      const known = command.commands.map((each) => each.name());
      const names = known.join(", ");
      const problem = error.code === "commander.help" ? "no command was given" : message;
      return `convkit: ${problem}: the commands are ${names}; see ${fullName(command)} --help.${guess(quoted(message), known)}`;
    }
    case "commander.unknownOption": {
      const own = command.options.map((option) => option.long ?? option.flags);
      return `convkit: ${message}: ${fullName(command)} knows ${own.join(", ")}.${guess(quoted(message), own)}`;
    }
    default:
      return `convkit: ${message}${message.endsWith(".") ? "" : ";"} see ${fullName(command)} --help.`;
  }
}

/** The word that commander quotes: unknown option '--batchsize'. */
function quoted(message: string): string {
  return /'([^']+)'/.exec(message)?.[1] ?? "";
}

/** The message of an error; an error without a message is described by its class and its causes. */
function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== "") return error.message;
  const within =
    error instanceof AggregateError ? error.errors.map(messageOf).join("; ") : messageOf(error.cause ?? "");
  return `${error.name}${within === "" ? "; see --debug" : `: ${within}`}`;
}

function calledCommand(program: Command, args: readonly string[]): Command {
  let command = program;
  for (const arg of args) {
    const child = command.commands.find((each) => each.name() === arg);
    if (child !== undefined) command = child;
  }
  return command;
}

function fullName(command: Command): string {
  return command.parent === null ? command.name() : `${fullName(command.parent)} ${command.name()}`;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s*\n\s*/g, " ").trim();
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
