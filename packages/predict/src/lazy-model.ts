import { OptionError } from "@convkit/errors";
import type { Feed, Values } from "@convkit/graph";

import type { OpenedModel } from "./sources/opened-model.ts";

/** A model that is opened by the first call. */
export interface LazyModel {
  /** The model, once it is open. */
  readonly opened: OpenedModel | undefined;
  /** Opens it without a call. */
  open(): Promise<OpenedModel>;
  run(feeds: readonly Feed[]): Promise<Values[]>;
  close(): Promise<void>;
}

/** A model that `open` opens at the first call; a failed call may be followed by others. */
export function lazyModel(open: (feeds: readonly Feed[] | undefined) => Promise<OpenedModel>): LazyModel {
  let opening: Promise<OpenedModel> | undefined;
  let opened: OpenedModel | undefined;
  const start = (feeds?: readonly Feed[]): Promise<OpenedModel> => {
    const again = (error: unknown): never => {
      opening = undefined;
      throw error;
    };
    const set = (model: OpenedModel): OpenedModel => (opened = model);
    return (opening ??= open(feeds).then(set).catch(again));
  };
  return {
    get opened() {
      return opened;
    },
    open: () => start(),
    async run(feeds) {
      for (;;) {
        const isFirst = opening === undefined;
        try {
          const model = await start(feeds);
          return await model.run(feeds);
        } catch (error) {
          // The inputs of the call that opened may be wrong, and these right.
          if (isFirst || opened !== undefined || !(error instanceof OptionError)) throw error;
        }
      }
    },
    async close() {
      await (await opening?.catch(() => undefined))?.dispose();
    },
  };
}
