import { join } from "node:path";
import ts from "typescript-5";
import { describe, expect, test } from "vitest";
import { root } from "../src/packed.ts";

/** What a compiler says of shapes in types, as a user reads it. */

const imports = `import { add, chain, concat, conv, dense, flatten, identity, maxPool, network } from "@convkit/core";
const same = { padding: "same", activation: "relu" } as const;
const valid = { padding: "valid" } as const;
`;

const wrong = [
  [
    "a dense layer on a map",
    "network([8, 8, 3], chain([conv(4, 3, same), dense(10)]));",
    "dense: expected a list of numbers, got a map of 8x8x4; put flatten() or globalAvgPool() before it",
  ],
  [
    "a sum of unequal shapes",
    "network([8, 8, 3], chain([add([identity, conv(4, 3, same)]), flatten(), dense(10)]));",
    "add: expected branches of equal shapes, got 8x8x3 and 8x8x4",
  ],
  [
    "branches of unequal size side by side",
    "network([8, 8, 3], concat([conv(4, 3, same), conv(4, 3, valid)]));",
    "concat: expected branches of equal height and width, got 8x8x4 and 6x6x4",
  ],
  [
    "a window larger than the map",
    "network([8, 8, 3], chain([conv(8, 5, valid), conv(8, 5, valid)]));",
    "conv: a 5x5 window does not fit into a map of 4x4x8",
  ],
  [
    "a convolution behind a dense layer",
    "network([8, 8, 3], chain([flatten(), dense(4), conv(4, 3, same)]));",
    "conv: expected a map [height, width, channels], got [4]",
  ],
] as const;

const vgg16 = `export const vgg16 = network([224, 224, 3], chain([
${[2, 2, 3, 3, 3].map((count, i) => `${`conv(${Math.min(512, 64 * 2 ** i)}, 3, same), `.repeat(count)}maxPool(2, 2, valid),`).join("\n")}
  flatten(), dense(4096), dense(4096), dense(1000)]));
const outputs: import("@convkit/core").OutputOf<typeof vgg16> = [1000];
export { outputs };`;

/** Checks one source beside the tests of `packages/core`: its messages, and how many types the compiler made for it. */
function check(sources: readonly string[]): {
  messages: readonly (readonly string[])[];
  instantiations: readonly number[];
} {
  const folder = join(root, "packages/core");
  const files = new Map(sources.map((source, i) => [join(folder, `test/virtual-${i}.ts`), imports + source]));
  const config = ts.getParsedCommandLineOfConfigFile(
    join(folder, "tsconfig.json"),
    { noEmit: true },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: () => {},
    },
  )!;
  const host = ts.createCompilerHost(config.options);
  const { getSourceFile, fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists(name);
  host.readFile = (name) => files.get(name) ?? readFile(name);
  host.getSourceFile = (name, version, ...rest) => {
    const text = files.get(name);
    return text === undefined ? getSourceFile(name, version, ...rest) : ts.createSourceFile(name, text, version);
  };
  const program = ts.createProgram([...files.keys()], config.options, host);
  const instantiations: number[] = [];
  const messages = [...files.keys()].map((file) => {
    const before = program.getInstantiationCount();
    const found = program.getSemanticDiagnostics(program.getSourceFile(file));
    instantiations.push(program.getInstantiationCount() - before);
    return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"));
  });
  return { messages, instantiations };
}

describe("shapes in types", () => {
  const lenet =
    "export const lenet = network([28, 28, 1], chain([conv(6, 5, same), maxPool(2, 2, valid), flatten(), dense(10)]));";
  const { messages, instantiations } = check([lenet, vgg16, ...wrong.map(([, code]) => code)]);

  test.each(wrong.map(([title, , message], i) => ({ title, message, i })))(
    "say what is wrong: $title",
    ({ message, i }) => {
      // One error, and its first line tells both shapes: nothing about overloads or about types of blocks comes before.
      const [first = "", ...others] = messages[i + 2]!;
      expect(first).toMatch(
        /^Argument of type '\[8, 8, 3\]' is not assignable to parameter of type 'readonly \[8, 8, 3\] & "/,
      );
      expect(first.split("\n")[0]).toContain(message);
      expect(others).toEqual([]);
    },
  );

  test("VGG-16 has no mistake, and asks little of the compiler", () => {
    expect(messages.slice(0, 2)).toEqual([[], []]);
    // 9,318 in TypeScript 5.9, which took 0.3 s of computing; a second has room for three times as many.
    expect(instantiations[1]).toBeGreaterThan(1000);
    expect(instantiations[1]).toBeLessThan(28_000);
  });
});
