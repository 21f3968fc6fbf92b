/**
 * What a package exports in a web page in place of what it exports in Node, checked by the compiler: packages declare the types of Node for
 * both, so each name must be there with a type that fits. `page-types.test.ts` holds that no pair is missing here.
 */
import type * as convkitInNode from "../../../packages/convkit/src/index.ts";
import type * as convkitInPage from "../../../packages/convkit/src/names.ts";
import type * as convkitPlatformInNode from "../../../packages/convkit/src/platform/node.ts";
import type * as convkitPlatformInPage from "../../../packages/convkit/src/platform/page.ts";
import type * as corePlatformInNode from "../../../packages/core/src/platform/node.ts";
import type * as corePlatformInPage from "../../../packages/core/src/platform/page.ts";
import type * as datasetsInNode from "../../../packages/datasets/src/index.ts";
import type * as datasetsInPage from "../../../packages/datasets/src/browser.ts";
import type * as datasetsPlatformInNode from "../../../packages/datasets/src/platform/node.ts";
import type * as datasetsPlatformInPage from "../../../packages/datasets/src/platform/page.ts";
import type * as engineInNode from "../../../packages/engine/src/index.ts";
import type * as engineInPage from "../../../packages/engine/src/browser.ts";
import type * as filesInNode from "../../../packages/files/src/index.ts";
import type * as filesInPage from "../../../packages/files/src/browser.ts";
import type * as filesSystemInNode from "../../../packages/files/src/system/node.ts";
import type * as filesSystemInPage from "../../../packages/files/src/system/page.ts";
import type * as graphInNode from "../../../packages/graph/src/index.ts";
import type * as graphInPage from "../../../packages/graph/src/browser.ts";
import type * as predictPlatformInNode from "../../../packages/predict/src/platform/node.ts";
import type * as predictPlatformInPage from "../../../packages/predict/src/platform/page.ts";
import type * as reportInNode from "../../../packages/report/src/index.ts";
import type * as reportInPage from "../../../packages/report/src/browser.ts";
import type * as trainerPlatformInNode from "../../../packages/trainer/src/platform/node.ts";
import type * as trainerPlatformInPage from "../../../packages/trainer/src/platform/page.ts";
import type * as weightsInNode from "../../../packages/weights/src/index.ts";
import type * as weightsInPage from "../../../packages/weights/src/browser.ts";
import type * as weightsPlatformInNode from "../../../packages/weights/src/platform/node.ts";
import type * as weightsPlatformInPage from "../../../packages/weights/src/platform/page.ts";

type InPage<Node, Page extends Node> = [Node, Page];

/** The types of `useEngine` tell engines of Node by Node's names, and of pages by theirs: `auto` gives one of Node by its type. */
type OfPages = "useEngine";

export type Pairs = [
  InPage<typeof convkitInNode, typeof convkitInPage>,
  InPage<typeof convkitPlatformInNode, typeof convkitPlatformInPage>,
  InPage<typeof corePlatformInNode, typeof corePlatformInPage>,
  InPage<typeof datasetsInNode, typeof datasetsInPage>,
  InPage<typeof datasetsPlatformInNode, typeof datasetsPlatformInPage>,
  InPage<Omit<typeof engineInNode, OfPages>, typeof engineInPage>,
  InPage<typeof filesInNode, typeof filesInPage>,
  InPage<typeof filesSystemInNode, typeof filesSystemInPage>,
  InPage<typeof graphInNode, typeof graphInPage>,
  InPage<typeof predictPlatformInNode, typeof predictPlatformInPage>,
  InPage<typeof reportInNode, typeof reportInPage>,
  InPage<typeof trainerPlatformInNode, typeof trainerPlatformInPage>,
  InPage<typeof weightsInNode, typeof weightsInPage>,
  InPage<typeof weightsPlatformInNode, typeof weightsPlatformInPage>,
];
