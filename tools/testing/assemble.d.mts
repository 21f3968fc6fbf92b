/** The bytes of `<name>.ts` in a folder of AssemblyScript, as base64. */
export function assemble(folder: string, name: string): Promise<string>;
