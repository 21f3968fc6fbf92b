import { connect } from "node:http2";
import { setTimeout as sleep } from "node:timers/promises";
import type { Member } from "./cluster.ts";

/** Milliseconds within which a live process answers: its gRPC server has threads of its own, which no training blocks. */
const ANSWER_MS = 2000;

/** True if a gRPC server answers at an address: as HTTP/2 demands, it begins with its settings. */
function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const session = connect(`http://${address}`);
    const end = (isThere: boolean) => {
      clearTimeout(timer);
      session.destroy();
      resolve(isThere);
    };
    const timer = setTimeout(() => end(false), ANSWER_MS);
    session.on("remoteSettings", () => end(true));
    session.on("error", () => end(false));
    session.on("close", () => end(false));
  });
}

/** The members whose servers do not answer now. */
export async function silent(members: readonly Member[]): Promise<Member[]> {
  const found = await Promise.all(members.map(async (member) => ((await answers(member.address)) ? [] : [member])));
  return found.flat();
}

/** Waits until all members answer; returns those that do not within so many seconds. */
export async function awaitMembers(members: readonly Member[], seconds: number): Promise<readonly Member[]> {
  const end = performance.now() + seconds * 1000;
  for (let missing = members; ;) {
    missing = await silent(missing);
    if (missing.length === 0 || performance.now() >= end) return missing;
    await sleep(100);
  }
}
