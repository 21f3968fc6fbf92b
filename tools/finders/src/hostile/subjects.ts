import { commandSubjects } from "./command-subjects.ts";
import { dataSubjects } from "./data-subjects.ts";
import { runSubjects } from "./run-subjects.ts";
import type { Subject } from "./subject.ts";
import { weightSubjects } from "./weight-subjects.ts";

/** Everything that reads files of others. */
export const subjects: readonly Subject[] = [...dataSubjects, ...weightSubjects, ...runSubjects, ...commandSubjects];
