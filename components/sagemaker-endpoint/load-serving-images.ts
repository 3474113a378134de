import { readFileSync } from "node:fs";
import { parseServingImages, type ServingImages } from "./serving-container.ts";

/** The serving images that ship with berth, from the data file beside this one. */
export function loadServingImages(): ServingImages {
  const path = new URL("data/serving-images.json", import.meta.url);
  return parseServingImages(JSON.parse(readFileSync(path, "utf8")));
}
