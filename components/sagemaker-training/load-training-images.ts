import { readFileSync } from "node:fs";
import { loadImageDigests } from "../container-images/load-image-digests.ts";
import { parseTrainingImages, type TrainingImages } from "./training-images.ts";

/** The training image that ships with berth, from the data file beside this one, with the digests of the last refresh. */
export function loadTrainingImages(): TrainingImages {
  const path = new URL("data/training-images.json", import.meta.url);
  const shipped = parseTrainingImages(JSON.parse(readFileSync(path, "utf8")));
  return { ...shipped, digests: loadImageDigests() };
}
