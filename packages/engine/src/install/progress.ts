/** A step of an install, reported when it begins. A download reports its bytes repeatedly. */
export interface InstallProgress {
  step: "wait" | "tfjs-node" | "download" | "unpack" | "compile" | "done";
  message: string;
  bytes?: number;
  total?: number;
}

/** Called with the progress of an install. */
export type OnProgress = (progress: InstallProgress) => void;
