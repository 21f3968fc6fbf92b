/** The name that `temporaryName` was given, without its folder; undefined for a name that it did not make. */
export function finalName(name: string): string | undefined {
  // Versions before this package counted: `.name.<process>-<number>.tmp`.
  return /^\.(.+)\.(?:[\da-f]{12}|\d+-\d+)\.tmp$/.exec(name)?.[1];
}

/** True for a name that `temporaryName` made: what a killed process was writing. */
export function isTemporary(name: string): boolean {
  return finalName(name) !== undefined;
}
