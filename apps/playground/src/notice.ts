import { signal } from "@preact/signals";

/** The sentence at the top of the page; empty where there is nothing to say. */
export const notice = signal("");

/** Does the work; an error becomes the page's notice, and the result is undefined then. */
export async function attempt<T>(work: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    notice.value = error instanceof Error ? error.message : String(error);
    return undefined;
  }
}
