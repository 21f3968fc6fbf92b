import { computed, signal } from "@preact/signals";

export interface Picture {
  readonly id: number;
  readonly file: File;
  /** The address of the file within this page. */
  readonly address: string;
}

export interface PictureClass {
  readonly id: number;
  readonly name: string;
  readonly pictures: readonly Picture[];
}

let made = 0;

/** The classes that the reader collects pictures of. */
export const classes = signal<readonly PictureClass[]>([emptyClass("Class 1"), emptyClass("Class 2")]);

/** What is missing before a network can be taught, as a sentence; undefined where nothing is. */
export const missing = computed((): string | undefined => {
  const names = classes.value.map(({ name }) => name.trim());
  if (names.length < 2) return "Two classes or more are needed.";
  if (names.includes("")) return "Each class needs a name.";
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `Two classes have the name ${twice}.`;
  // The names become names of folders, in the download.
  const odd = names.find((name) => /[/\\:*?"<>|]|^\.|\.$/u.test(name));
  if (odd !== undefined)
    return `The name ${odd} cannot be that of a folder: leave out / \\ : * ? " < > | and dots at its ends.`;
  const empty = classes.value.find(({ pictures }) => pictures.length === 0);
  return empty === undefined ? undefined : `The class ${empty.name} has no pictures yet.`;
});

function emptyClass(name: string): PictureClass {
  return { id: ++made, name, pictures: [] };
}

export function addClass(name = `Class ${classes.value.length + 1}`): number {
  const added = emptyClass(name);
  classes.value = [...classes.value, added];
  return added.id;
}

export function renameClass(id: number, name: string): void {
  change(id, (each) => ({ ...each, name }));
}

export function removeClass(id: number): void {
  for (const { address } of classes.value.find((each) => each.id === id)?.pictures ?? []) URL.revokeObjectURL(address);
  classes.value = classes.value.filter((each) => each.id !== id);
}

export function addPictures(id: number, files: readonly File[]): void {
  const added = files.map((file): Picture => ({ id: ++made, file, address: URL.createObjectURL(file) }));
  change(id, (each) => ({ ...each, pictures: [...each.pictures, ...added] }));
}

export function removePicture(id: number, picture: Picture): void {
  URL.revokeObjectURL(picture.address);
  change(id, (each) => ({ ...each, pictures: each.pictures.filter((other) => other !== picture) }));
}

/**
 * Adds the pictures of folders: each folder that holds some is a class of its name. A class of that name gets them; classes without
 * pictures give way to the first ones.
 */
export function addFolders(files: readonly File[]): void {
  const folders = new Map<string, File[]>();
  for (const file of files) {
    const folder = file.webkitRelativePath.split("/").at(-2) ?? "pictures";
    folders.set(folder, [...(folders.get(folder) ?? []), file]);
  }
  for (const [name, found] of folders) {
    const same = classes.value.find((each) => each.name === name);
    const free = same ?? classes.value.find(({ pictures }) => pictures.length === 0);
    const id = free?.id ?? addClass(name);
    renameClass(id, name);
    addPictures(id, found);
  }
}

function change(id: number, to: (each: PictureClass) => PictureClass): void {
  classes.value = classes.value.map((each) => (each.id === id ? to(each) : each));
}
