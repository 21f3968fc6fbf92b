import { expect, test } from "vitest";
import { pageRows, pages, pageSystems, pagesTable } from "../src/pages/pages.ts";

test("the rows of a page have times where the outputs agree, and say where they do not", () => {
  const rows = pageRows(pageSystems, {
    times: { convkit: [70, 60, 65], "onnxruntime-web": [90, 110], "transformers.js": [1] },
    outputs: { convkit: [1, -2], "onnxruntime-web": [1.0005, -2], "transformers.js": [1, -1.5] },
  });
  expect(rows.map(({ system, median, fastest }) => [system, median, fastest])).toEqual([
    ["convkit", 65, 60],
    ["onnxruntime-web", 100, 90],
    ["transformers.js", undefined, undefined],
  ]);
  expect(pagesTable(rows)).toContain("| resnet18 | transformers.js |  |  | its outputs differ by 0.50 |");
  const short = {
    times: { convkit: [1], "onnxruntime-web": [1] },
    outputs: { convkit: [1, 2], "onnxruntime-web": [1] },
  };
  expect(pageRows(["convkit", "onnxruntime-web"], short)[1]!.note).toBe("its outputs differ by NaN");
});

test("unknown systems are refused", async () => {
  await expect(pages({ systems: ["convkit", "tvm"] })).rejects.toThrow(
    "The systems are convkit, onnxruntime-web, transformers.js; got tvm.",
  );
});
