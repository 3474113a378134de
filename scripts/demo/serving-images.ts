import { fileURLToPath } from "node:url";
import type { ServingImage } from "../../offline/cloud/cloud.ts";

/** What the emulated cloud runs in place of the serving images that berth names: llama.cpp, on this machine's CPU. */
export const demoServingImages: readonly ServingImage[] = [
  {
    repository: "llama-cpp",
    command: [process.execPath, fileURLToPath(new URL("./llama-container.mjs", import.meta.url))],
  },
];
