import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { droppedFiles } from "../collect/dropped-files.ts";
import { attempt } from "../notice.ts";

interface DropPlaceProps {
  readonly children: ComponentChildren;
  readonly onFiles: (files: readonly File[]) => void;
  readonly class?: string;
}

/** A part of the page that takes files and folders which are dropped on it. */
export function DropPlace({ children, onFiles, class: name = "" }: DropPlaceProps) {
  const [isOver, setOver] = useState(false);
  return (
    <div
      class={`drop ${name} ${isOver ? "over" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        const { dataTransfer } = event;
        if (dataTransfer !== null)
          void attempt(async () => {
            const files = await droppedFiles(dataTransfer);
            if (files.length > 0) onFiles(files);
          });
      }}
    >
      {children}
    </div>
  );
}
