import type { LayersModel } from "@tensorflow/tfjs-layers";
import { busy, RequestError } from "../http/request-error.ts";
import { ServeError } from "../serve-error.ts";
import type { ServeOptions } from "../serve-options.ts";
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

/** A version that is to be opened; reading its files has begun where `model` is there. */
interface Plan {
  readonly name: string;
  readonly source: ModelSource;
  readonly found: FoundVersion;
  model?: Promise<LayersModel | ModelWithImages>;
}

/** How many models are read ahead of the one that is opened. */
const readAhead = 2;

export interface RegistryOptions {
  readonly sources: Readonly<Record<string, ModelSource>>;
  /** Versions that must be there, by model and label. */
  readonly labels?: ServeOptions["labels"];
  readonly load: LoadSource;
  open(model: ModelWithImages, name: string, version: number, isOwn: boolean): Promise<ServedModel>;
}

export function createRegistry({ sources, labels = {}, load, open }: RegistryOptions): Registry {
  const models = new Map<string, ReadonlyMap<number, Entry>>();
  const retiring = new Set<Promise<void>>();
  let last: Promise<unknown> = Promise.resolve();

  function retire({ served }: Entry): void {
    const end = served.retire().finally(() => retiring.delete(end));
    retiring.add(end);
  }

  function startReading(plan: Plan | undefined): void {
    if (plan === undefined || plan.model !== undefined) return;
    const { source, found } = plan;
    plan.model = typeof source === "string" ? load(found.path) : Promise.resolve(source);
    // `openPlanned` tells of a failure.
    plan.model.catch(() => {});
  }

  async function openPlanned({ name, source, found, model }: Plan): Promise<Entry> {
    try {
      const loaded = await model!;
      const whole = "apply" in loaded ? { model: loaded } : loaded;
      return { stamp: found.stamp, served: await open(whole, name, found.version, typeof source === "string") };
    } catch (error) {
      throw new ServeError(
        `The model ${name}, version ${found.version}, cannot be served: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }

  /**
   * Opens the versions one after the other, since `runtime: "auto"` measures each; the files of the next ones are read meanwhile.
   * After a failure nothing is left open.
   */
  async function openAll(plans: readonly Plan[]): Promise<Entry[]> {
    const opened: Entry[] = [];
    try {
      for (const [place, plan] of plans.entries()) {
        for (const next of plans.slice(place, place + 1 + readAhead)) startReading(next);
        opened.push(await openPlanned(plan));
      }
      return opened;
    } catch (error) {
      for (const entry of opened) retire(entry);
      // The failed one is disposed of by `open`.
      for (const { source, model } of plans.slice(opened.length + 1)) {
        if (typeof source !== "string") continue;
        void model?.then(disposeLoaded).catch(() => {});
      }
      throw error;
    }
  }

  function checkLabels(plans: readonly Plan[]): void {
    for (const [name, versions] of Object.entries(labels)) {
      const known = plans.filter((plan) => plan.name === name).map(({ found }) => found.version);
      const missing = Object.entries(versions).find(([, version]) => !known.includes(version));
      if (missing === undefined) continue;
      throw new ServeError(
        `The label ${missing[0]} of the model ${name} stands for version ${missing[1]}: its versions are ${known.join(", ")}.`,
      );
    }
  }

  async function reloadNow(): Promise<ReloadReport> {
    const found = await Promise.all(
      Object.entries(sources).map(async ([name, source]) =>
        (typeof source === "string" ? await findVersions(source) : [{ version: 1, path: "", stamp: "" }]).map(
          (version): Plan => ({ name, source, found: version }),
        ),
      ),
    );
    const before = ({ name, found: { version } }: Plan) => models.get(name)?.get(version);
    const isSame = (plan: Plan): boolean => before(plan)?.stamp === plan.found.stamp;
    const plans = found.flat();
    checkLabels(plans);
    const changed = plans.filter((plan) => !isSame(plan));
    // The old models go on if this fails: nothing was taken in.
    const loaded = await openAll(changed);
    const entryOf = (plan: Plan): Entry => (isSame(plan) ? before(plan)! : loaded[changed.indexOf(plan)]!);
    const kept = plans.filter(isSame).map(entryOf);
    const gone = [...models.values()]
      .flatMap((entries) => [...entries.values()])
      .filter((entry) => !kept.includes(entry));
    const taken = plans.map((plan) => ({ plan, entry: entryOf(plan) }));
    for (const name of Object.keys(sources))
      models.set(
        name,
        new Map(taken.filter(({ plan }) => plan.name === name).map(({ entry }) => [entry.served.version, entry])),
      );
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

function disposeLoaded(read: LayersModel | ModelWithImages): void {
  const model = "apply" in read ? read : read.model;
  if (typeof model !== "string") model.dispose();
}
