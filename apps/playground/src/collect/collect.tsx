import { DropPlace } from "../parts/drop-place.tsx";
import { FileButton } from "../parts/file-button.tsx";
import { ClassCard } from "./class-card.tsx";
import { addClass, addFolders, classes } from "./classes.ts";
import { picturesIn } from "./pictures-in.ts";

/** The classes and their pictures. */
export function Collect() {
  const add = (files: readonly File[]): void => {
    addFolders(picturesIn(files));
  };
  return (
    <section aria-labelledby="collect">
      <h2 id="collect">1. Collect pictures</h2>
      <p>
        One class for each thing that the network is to tell apart. Five pictures a class or more; twenty make a good
        start.
      </p>
      <DropPlace onFiles={add}>
        <div class="cards">
          {classes.value.map((each) => (
            <ClassCard key={each.id} {...each} />
          ))}
        </div>
        <div class="row">
          <button type="button" onClick={() => addClass()}>
            Add a class
          </button>
          <FileButton isFolder onFiles={add}>
            Open a folder of classes
          </FileButton>
        </div>
        <p class="note">A folder that holds one folder for each class can be dropped here, too.</p>
      </DropPlace>
    </section>
  );
}
