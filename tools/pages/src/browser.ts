import { findChromium } from "@convkit/testing/chromium";

/** The reason for leaving page tests out, as a part of their names; empty where a browser is there. */
export const withoutBrowser =
  findChromium() === undefined ? " (left out: no Chromium here; install it or set CONVKIT_CHROMIUM)" : "";
