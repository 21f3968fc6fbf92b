import { measuredData } from "./src/measured-data.ts";
const d = await measuredData({data:"jpeg"} as never);
console.log(d!.folder);
