// The parts of the lessons that compute in the reader's browser. They need no network and no engine.
import { playField } from "./play-field.ts";
import { playWindow } from "./play-window.ts";

const plays: Readonly<Record<string, (place: HTMLElement) => void>> = { window: playWindow, field: playField };
for (const place of document.querySelectorAll<HTMLElement>(".play")) plays[place.dataset["play"] ?? ""]?.(place);
