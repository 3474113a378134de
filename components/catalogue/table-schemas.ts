import { z } from "zod";
import { acceleratorSchema } from "./accelerator.ts";
import type { Tables } from "./catalogue.ts";
import { instanceTypeSchema } from "./instance-type.ts";
import { licenceSchema } from "./licence.ts";
import { modelSchema } from "./model.ts";
import { sagemakerTypeSchema } from "./sagemaker-type.ts";
import { cudaReleaseSchema, pytorchReleaseSchema } from "./software-release.ts";

function table<Row extends z.ZodType>(row: Row) {
  return z.strictObject({
    schemaVersion: z.literal(1),
    collectedAt: z.iso.date(),
    source: z.string(),
    rows: z.array(row),
  });
}

/**
 * Schemas of the data files that ship. The tests hold the files to them; at run time they are believed, which saves most of
 * the time that loading takes. What a user writes is checked at run time.
 */
export const tableSchemas = {
  models: table(modelSchema),
  accelerators: table(acceleratorSchema),
  instanceTypes: table(instanceTypeSchema),
  sagemakerTypes: table(sagemakerTypeSchema),
  cudaReleases: table(cudaReleaseSchema),
  pytorchReleases: table(pytorchReleaseSchema),
  licences: table(licenceSchema),
} as const satisfies Record<keyof Tables, z.ZodType>;
