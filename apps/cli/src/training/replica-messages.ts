/** The variable by which `--replicas`, and `--parallel` of a search, tell a process that it has a parent. */
export const replicaVariable = "CONVKIT_REPLICA";

/** Why a process of `--replicas` ended, where its parent may start it anew. */
export type ReplicaMessage = "lost a worker" | "port in use";

/** Tells the parent of a process that `--replicas` started; nothing in any other process. */
export function tellParent(message: ReplicaMessage): void {
  if (process.env[replicaVariable] !== undefined) process.send?.(message);
}

/** Ends this process if its parent ends before it, so that no worker is left behind. Does nothing without such a parent. */
export function endWithParent(): void {
  if (process.env[replicaVariable] === undefined || process.send === undefined) return;
  const end = () => process.exit(1);
  if (!process.connected) end();
  process.on("disconnect", end);
  process.channel?.unref();
}
