// `pnpm quickstart`: everything a fresh clone needs, then LeNet-5 on the whole of MNIST with the notebook's recipe.
import { convkit, setUp } from "./set-up.mjs";

setUp((_, status) => process.exit(status));
process.exit(convkit("train", "lenet5-mnist", "--out", "runs/lenet5-mnist", ...process.argv.slice(2)));
