import { z } from "zod";
import { acceleratorSchema, type Accelerator } from "./accelerator.ts";
import { instanceTypeSchema, type InstanceType } from "./instance-type.ts";
import { modelSchema, type Model } from "./model.ts";
import { sagemakerTypeSchema, type SagemakerType } from "./sagemaker-type.ts";
import {
  cudaReleaseSchema,
  pytorchReleaseSchema,
  type CudaRelease,
  type PytorchRelease,
} from "./software-release.ts";

/** All that a plan is decided from. */
export interface Catalogue {
  /** Date of the newest table, YYYY-MM-DD. */
  readonly version: string;
  readonly models: readonly Model[];
  readonly accelerators: readonly Accelerator[];
  readonly instanceTypes: readonly InstanceType[];
  readonly sagemakerTypes: readonly SagemakerType[];
  /** Newest first. */
  readonly cudaReleases: readonly CudaRelease[];
  /** Oldest first. */
  readonly pytorchReleases: readonly PytorchRelease[];
}

function table<Row extends z.ZodType>(row: Row) {
  return z.strictObject({
    schemaVersion: z.literal(1),
    collectedAt: z.iso.date(),
    source: z.string(),
    rows: z.array(row),
  });
}

/** The parsed JSON of the data files. */
export type RawCatalogue = Readonly<Record<Exclude<keyof Catalogue, "version">, unknown>>;

/**
 * Checks the tables against their schemas and makes one catalogue of them.
 *
 * @throws z.ZodError naming every row and field that is wrong
 */
export function makeCatalogue(raw: RawCatalogue): Catalogue {
  const models = table(modelSchema).parse(raw.models);
  const accelerators = table(acceleratorSchema).parse(raw.accelerators);
  const instanceTypes = table(instanceTypeSchema).parse(raw.instanceTypes);
  const sagemakerTypes = table(sagemakerTypeSchema).parse(raw.sagemakerTypes);
  const cudaReleases = table(cudaReleaseSchema).parse(raw.cudaReleases);
  const pytorchReleases = table(pytorchReleaseSchema).parse(raw.pytorchReleases);
  const tables = [models, accelerators, instanceTypes, sagemakerTypes];
  const dates = [...tables, cudaReleases, pytorchReleases].map((part) => part.collectedAt);
  return {
    version: dates.toSorted().at(-1) ?? "",
    models: models.rows,
    accelerators: accelerators.rows,
    instanceTypes: instanceTypes.rows,
    sagemakerTypes: sagemakerTypes.rows,
    cudaReleases: cudaReleases.rows,
    pytorchReleases: pytorchReleases.rows,
  };
}
