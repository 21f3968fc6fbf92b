import { peerPython } from "@convkit/testing";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A Python process that makes networks of other libraries, one after another: their files, an input and its logits. */
export interface Peer {
  /** Makes the files of `library:name` for an input of this height and width. */
  make(network: string, height: number, width: number): Promise<void>;
  end(): void;
}

export function startPeer(folder: string): Peer {
  if (peerPython === undefined) throw new Error("The peers' Python environment is not there: run `pnpm bench setup`.");
  const script = fileURLToPath(new URL("../../../../packages/weights/test/peers/network-suites.py", import.meta.url));
  const env = {
    ...process.env,
    TF_CPP_MIN_LOG_LEVEL: "3",
    KERAS_BACKEND: "tensorflow",
    CUDA_VISIBLE_DEVICES: "-1",
    // Threads that wait for each other in a loop take most of the time of a machine that has other work.
    OMP_NUM_THREADS: "1",
  };
  const child = spawn(peerPython, [script, folder], { env, stdio: ["pipe", "pipe", "ignore"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async make(network, height, width) {
      child.stdin.write(`${network}:${height}:${width}\n`);
      for (;;) {
        const { value, done } = await lines.next();
        if (done === true) throw new Error(`Python ended at ${network}.`);
        if (value === `made ${network}`) return;
        if (value.startsWith("failed ")) throw new Error(value.slice("failed ".length));
      }
    },
    end: () => void child.stdin.end(),
  };
}
