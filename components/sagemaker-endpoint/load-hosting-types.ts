import { readFileSync } from "node:fs";
import { parseHostingTypes, type HostingType } from "./hosting-catalogue.ts";
import { parseServingImages, type ServingImages } from "./serving-container.ts";

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

/** What of SageMaker hosting an endpoint is planned from. */
export interface HostingFacts {
  readonly types: readonly HostingType[];
  readonly images: ServingImages;
}

/** The facts that ship with berth. */
export function loadHostingFacts(): HostingFacts {
  return {
    types: parseHostingTypes(readJson("../catalogue/data/sagemaker-types.json")),
    images: parseServingImages(readJson("data/serving-images.json")),
  };
}
