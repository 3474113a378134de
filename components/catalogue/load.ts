import { readFileSync } from "node:fs";
import { makeCatalogue, type Catalogue } from "./catalogue.ts";

function readTable(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`data/${name}.json`, import.meta.url), "utf8"));
}

/** The catalogue that ships with berth, read from the data files beside this one. */
export function loadCatalogue(): Catalogue {
  return makeCatalogue({
    models: readTable("models"),
    accelerators: readTable("gpus"),
    instanceTypes: readTable("instance-types"),
    sagemakerTypes: readTable("sagemaker-types"),
    cudaReleases: readTable("cuda"),
    pytorchReleases: readTable("pytorch"),
  });
}
