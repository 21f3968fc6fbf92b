/** The functions of a module. */
export type FunctionsOf<Module> = {
  readonly [Name in keyof Module as Module[Name] extends (...args: never) => unknown ? Name : never]: Module[Name];
};

/**
 * The functions of a module that is loaded when one of them is called for the first time. Reading a name loads nothing.
 */
export function lazily<Module extends object>(load: () => Module): FunctionsOf<Module> {
  let loaded: Module | undefined;
  return new Proxy({} as FunctionsOf<Module>, {
    get(_, name) {
      const call = (...args: unknown[]): unknown => {
        loaded ??= load();
        return (loaded as Record<PropertyKey, (...args: unknown[]) => unknown>)[name]!(...args);
      };
      return Object.defineProperty(call, "name", { value: name });
    },
  });
}
