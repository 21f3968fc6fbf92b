import { download } from "../../src/download.ts";

/** Downloads one file and prints how it ended. */
const [url = "", file = "", sha256 = ""] = process.argv.slice(2);
try {
  await download(url, file, { hash: { sha256 } });
  process.stdout.write("done");
} catch (error) {
  process.stdout.write(String(error));
}
