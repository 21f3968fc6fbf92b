/** A step of an install, told as it begins; a download tells its bytes as they come. */
export interface InstallProgress {
  step: "wait" | "tfjs-node" | "download" | "unpack" | "compile" | "done";
  message: string;
  bytes?: number;
  total?: number;
}

/** Hears how an install goes. */
export type OnProgress = (progress: InstallProgress) => void;
