import { busy, RequestError } from "../http/request-error.ts";
import { ServeError } from "../serve-error.ts";
import { findVersions, type FoundVersion } from "./find-versions.ts";
import type { LoadSource, ModelSource, ModelWithImages } from "./model-source.ts";
import type { ServedModel } from "./served-model.ts";

/** What a reload changed, as `NAME/VERSION`. */
export interface ReloadReport {
  readonly loaded: readonly string[];
  readonly removed: readonly string[];
  readonly kept: readonly string[];
}

/** The models that are served, by name and version. */
export interface Registry {
  /** The version asked for, else the largest. Throws a 404 for what is unknown, and a 503 while a model loads. */
  find(name: string, version?: number): ServedModel;
  versionsOf(name: string): readonly ServedModel[];
  all(): readonly ServedModel[];
  /** Loads versions that are new or changed on disk, then takes them in at once; what is removed ends its requests first. */
  reload(): Promise<ReloadReport>;
  close(): Promise<void>;
}

interface Entry {
  readonly stamp: string;
  readonly served: ServedModel;
}

export interface RegistryOptions {
  readonly sources: Readonly<Record<string, ModelSource>>;
  readonly load: LoadSource;
  open(model: ModelWithImages, name: string, version: number, isOwn: boolean): Promise<ServedModel>;
}

export function createRegistry({ sources, load, open }: RegistryOptions): Registry {
  const models = new Map<string, ReadonlyMap<number, Entry>>();
  const retiring = new Set<Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();

  function retire({ served }: Entry): void {
    const end = served.retire().finally(() => retiring.delete(end));
    retiring.add(end);
  }

  async function openVersion(name: string, source: ModelSource, { version, path }: FoundVersion): Promise<ServedModel> {
    try {
      const loaded = typeof source === "string" ? await load(path) : source;
      const whole = "apply" in loaded ? { model: loaded } : loaded;
      return await open(whole, name, version, typeof source === "string");
    } catch (error) {
      throw new ServeError(`The model ${name}, version ${version}, cannot be served: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  async function reloadNow(): Promise<ReloadReport> {
    const fresh = new Map<string, Map<number, Entry>>();
    const [loaded, kept]: [Entry[], Entry[]] = [[], []];
    try {
      for (const [name, source] of Object.entries(sources)) {
        const found = typeof source === "string" ? await findVersions(source) : [{ version: 1, path: "", stamp: "" }];
        const entries = new Map<number, Entry>();
        for (const each of found) {
          const before = models.get(name)?.get(each.version);
          const isSame = before?.stamp === each.stamp;
          const entry = isSame ? before! : { stamp: each.stamp, served: await openVersion(name, source, each) };
          (isSame ? kept : loaded).push(entry);
          entries.set(each.version, entry);
        }
        fresh.set(name, entries);
      }
    } catch (error) {
      // The old models go on: nothing was taken in.
      for (const entry of loaded) retire(entry);
      throw error;
    }
    const gone = [...models.values()]
      .flatMap((entries) => [...entries.values()])
      .filter((entry) => !kept.includes(entry));
    for (const [name, entries] of fresh) models.set(name, entries);
    for (const entry of gone) retire(entry);
    const named = (entries: readonly Entry[]) => entries.map(({ served }) => `${served.name}/${served.version}`);
    return { loaded: named(loaded), removed: named(gone), kept: named(kept) };
  }

  const versionsOf = (name: string): readonly ServedModel[] => {
    if (!Object.hasOwn(sources, name))
      throw new RequestError(
        404,
        `There is no model "${name.slice(0, 80)}": the models are ${Object.keys(sources).join(", ")}.`,
      );
    const entries = models.get(name);
    if (entries === undefined) throw busy(`The model ${name} is still loading.`);
    return [...entries.values()].map(({ served }) => served);
  };
  return {
    find(name, version) {
      const versions = versionsOf(name);
      const found = version === undefined ? versions.at(-1) : versions.find((each) => each.version === version);
      if (found !== undefined) return found;
      const known = versions.map((each) => each.version).join(", ");
      throw new RequestError(404, `The model ${name} has no version ${version}: its versions are ${known}.`);
    },
    versionsOf,
    all: () => [...models.values()].flatMap((entries) => [...entries.values()].map(({ served }) => served)),
    reload() {
      // One after the other: two reloads at once would load a version twice.
      const turn = last.then(reloadNow);
      last = turn.catch(() => {});
      return turn;
    },
    async close() {
      await last;
      for (const entries of models.values()) for (const entry of entries.values()) retire(entry);
      models.clear();
      await Promise.all(retiring);
    },
  };
}
