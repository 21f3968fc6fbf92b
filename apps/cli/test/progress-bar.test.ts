import { execFileSync, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const source = fileURLToPath(new URL("../../../packages/trainer/src/platform/terminal.ts", import.meta.url));
const tsx = import.meta.resolve("tsx");
const canType = process.platform === "linux" && spawnSync("script", ["--version"]).status === 0;

/** What a program writes to a terminal of so many columns. */
function written(columns: number, program: string, env: NodeJS.ProcessEnv = {}): string {
  const text = `
    import { isLiveTerminal, progressBar } from ${JSON.stringify(source)};
    import { execFileSync } from "node:child_process";
    const resize = (columns) => {
      execFileSync("stty", ["cols", String(columns)], { stdio: ["inherit", "ignore", "inherit"] });
      return new Promise((resolve) => process.stderr.once("resize", resolve));
    };
    ${program}`;
  const node = `"${process.execPath}" --import "${tsx}" --input-type=module`;
  const command = `stty cols ${columns} rows 10; ${node} --eval "$PROGRAM"`;
  return execFileSync("script", ["-qec", command, "/dev/null"], {
    env: { ...process.env, TERM: "xterm", ...env, PROGRAM: text },
    encoding: "utf8",
  });
}

const escape = "\u001b";
const bar = `
  const bar = progressBar("epoch 1/3 {bar} {percentage} % | loss {loss} | accuracy {accuracy} | {rate} images/s");
  bar.start(10, 0, { loss: "0.5", accuracy: "50.00 %", rate: "1000" });`;

describe.skipIf(!canType)("a progress bar on a terminal", () => {
  test.each([20, 40])("of %i columns stays on its line, also when the terminal becomes narrower", (columns) => {
    const text = written(
      columns,
      `${bar}
       bar.update(5);
       await resize(${columns / 2});
       bar.update(7);
       await new Promise((resolve) => setTimeout(resolve, 300));
       bar.stop();
       process.stderr.write("done");`,
    );
    // Wrapping is off while it moves: the terminal cuts off what is too long.
    const moved = text.slice(text.indexOf(`${escape}[?7l`), text.lastIndexOf(`${escape}[?7h`));
    expect(moved).toContain("70 %");
    expect(moved).not.toMatch(/[\r\n]/);
    expect(text).toMatch(/done$/);
  });

  test("gives the cursor and the wrapping back when the process exits in its middle", () => {
    const text = written(80, `${bar}\nprocess.exit(0);`);
    for (const mode of ["?25", "?7"])
      expect([text.includes(`${escape}[${mode}l`), text.lastIndexOf(`${escape}[${mode}h`)]).toEqual([
        true,
        expect.toSatisfy((place: number) => place > text.lastIndexOf(`${escape}[${mode}l`)),
      ]);
  });

  test("does not move where the cursor cannot", () => {
    const live = (TERM: string) => written(80, "process.stdout.write(String(isLiveTerminal()));", { TERM });
    expect([live("xterm"), live("dumb")]).toEqual(["true", "false"]);
  });
});
