import { readFileSync } from "node:fs";
import { loadImageDigests } from "../container-images/load-image-digests.ts";
import { parseServingImages, type ServingImages } from "./serving-container.ts";

/** The serving images that ship with berth, from the data file beside this one, with the digests of the last refresh. */
export function loadServingImages(): ServingImages {
  const path = new URL("data/serving-images.json", import.meta.url);
  const shipped = parseServingImages(JSON.parse(readFileSync(path, "utf8")));
  return { ...shipped, digests: loadImageDigests() };
}
