import { readFileSync } from "node:fs";
import { parseTrainingImages, type TrainingImages } from "./training-images.ts";

/** The training image that ships with berth, from the data file beside this one. */
export function loadTrainingImages(): TrainingImages {
  const path = new URL("data/training-images.json", import.meta.url);
  return parseTrainingImages(JSON.parse(readFileSync(path, "utf8")));
}
