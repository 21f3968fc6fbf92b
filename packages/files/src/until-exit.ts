/** What is to be put in order should the process exit in the middle of a writing. */
const undone = new Set<() => void>();

function undoAll(): void {
  for (const undo of undone)
    try {
      undo();
    } catch {
      // The disk refuses; the others are still put in order.
    }
}

/** Calls `undo`, which may not wait, if the process exits before the returned function was called. */
export function undoAtExit(undo: () => void): () => void {
  if (undone.size === 0) process.on("exit", undoAll);
  undone.add(undo);
  return () => {
    undone.delete(undo);
    if (undone.size === 0) process.off("exit", undoAll);
  };
}
