import { ServeError } from "../serve-error.ts";

/** One end of the channel between two processes. */
export interface Channel {
  send(message: unknown): void;
  onMessage(listener: (message: unknown) => void): void;
}

/** What the other process may ask for, by name. */
export type Handlers = Readonly<Record<string, (value: unknown) => Promise<unknown>>>;

interface Message {
  readonly convkit: "call" | "reply";
  readonly id: number;
  readonly name?: string;
  readonly value?: unknown;
  readonly error?: string;
}

/** Calls of functions in the other process. */
export interface Calls {
  call(name: string, value?: unknown): Promise<unknown>;
  /** Fails the calls that wait: the other process has ended. */
  end(reason: string): void;
}

/** Answers the other process's calls by `handlers`, and calls its own. */
export function createCalls(channel: Channel, handlers: Handlers): Calls {
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let count = 0;
  const answer = async ({ id, name, value }: Message): Promise<void> => {
    let reply: Message;
    try {
      reply = { convkit: "reply", id, value: await handlers[name!]!(value) };
    } catch (error) {
      reply = { convkit: "reply", id, error: (error as Error).message };
    }
    channel.send(reply);
  };
  channel.onMessage((message) => {
    if (!isMessage(message)) return;
    if (message.convkit === "call") return void answer(message);
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error === undefined) call?.resolve(message.value);
    else call?.reject(new ServeError(message.error));
  });
  return {
    call: (name, value) =>
      new Promise((resolve, reject) => {
        const id = count++;
        waiting.set(id, { resolve, reject });
        channel.send({ convkit: "call", id, name, value } satisfies Message);
      }),
    end(reason) {
      for (const { reject } of waiting.values()) reject(new ServeError(reason));
      waiting.clear();
    },
  };
}

function isMessage(message: unknown): message is Message {
  return typeof message === "object" && message !== null && "convkit" in message;
}
