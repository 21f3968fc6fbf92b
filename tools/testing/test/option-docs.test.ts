import ts from "typescript-5";
import { expect, test } from "vitest";
import { optionalFields, packageNames, packagesFolder, publicDeclarations } from "../src/public-options.ts";

/** Types that users read and do not write, where a default makes no sense: each with the functions that make its values. */
const results: Readonly<Record<string, string>> = {
  Batch: "batches of a data set",
  CifarImages: "parseCifar",
  ConvertReport: "convert",
  DoctorReport: "examine",
  DownloadProgress: "download",
  Engine: "useEngine",
  EngineCheck: "examine",
  EpochLogs: "train",
  InstallProgress: "installEngine",
  LayerTensors: "openWeights",
  ModelSummary: "summarize",
  PublishedWeights: "the table of published weights",
  RuntimeTrial: "predictor",
  SaveReport: "saveModel",
  TrainingCheck: "checkTraining",
  WeightsFile: "openWeights",
};

function tellsDefault(field: ts.PropertySignature): boolean {
  const text = ts.getJSDocCommentsAndTags(field).map((comment) => comment.getText());
  return /default|missing|without/i.test(text.join(" "));
}

const places = packageNames.flatMap((name) =>
  [...publicDeclarations(name)].flatMap(([exported, found]) =>
    found.flatMap(optionalFields).map((field) => {
      const path = `${field.getSourceFile().fileName.slice(packagesFolder.length)}: ${exported}.${field.name.getText()}`;
      return { exported, path, isTold: tellsDefault(field) };
    }),
  ),
);

test("the hover text of every optional field says what happens without it", () => {
  expect(places.length).toBeGreaterThan(300);
  const untold = places.filter(({ exported, isTold }) => !isTold && !Object.hasOwn(results, exported));
  expect([...new Set(untold.map(({ path }) => path))]).toEqual([]);
});

test("no type is excepted without need", () => {
  const needed = new Set(places.filter(({ isTold }) => !isTold).map(({ exported }) => exported));
  expect(Object.keys(results).filter((name) => !needed.has(name))).toEqual([]);
});
