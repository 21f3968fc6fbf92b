interface FileButtonProps {
  readonly children: string;
  readonly onFiles: (files: readonly File[]) => void;
  readonly accept?: string;
  readonly isMany?: boolean;
  /** Chooses a folder, and gives its files with their paths. */
  readonly isFolder?: boolean;
}

/** A button that lets the reader choose files. */
export function FileButton({ children, onFiles, accept, isMany = false, isFolder = false }: FileButtonProps) {
  return (
    <label class="button">
      {children}
      <input
        type="file"
        class="hidden"
        accept={accept}
        multiple={isMany || isFolder}
        {...(isFolder && { webkitdirectory: true })}
        onChange={({ currentTarget }) => {
          const files = [...(currentTarget.files ?? [])];
          // The same file may be chosen again.
          currentTarget.value = "";
          if (files.length > 0) onFiles(files);
        }}
      />
    </label>
  );
}
