import { useEngine } from "@convkit/engine";
import { withoutDrawing } from "@convkit/core";
import { createModel } from "@convkit/models";
import { loadWeights } from "@convkit/weights";
await useEngine("native", { threads: 2 });
const m = withoutDrawing(() => createModel("vgg16"));
const t = performance.now(); const c = process.cpuUsage();
await loadWeights(m, process.argv[2]!);
console.log(process.argv[2]!.split(".").pop(), ((performance.now() - t) / 1000).toFixed(3), "cpu", ((process.cpuUsage(c).user) / 1e6).toFixed(2), ((process.cpuUsage(c).system) / 1e6).toFixed(2), "rss", (process.resourceUsage().maxRSS / 1024).toFixed(0));

