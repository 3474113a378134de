import type { Accelerator } from "./accelerator.ts";
import type { InstanceType } from "./instance-type.ts";
import type { Licence } from "./licence.ts";
import type { Model } from "./model.ts";
import type { SagemakerType } from "./sagemaker-type.ts";
import type { CudaRelease, PytorchRelease } from "./software-release.ts";

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
  readonly licences: readonly Licence[];
  /** By region and EC2 quota code, the vCPUs that the account may run; only after a refresh. */
  readonly vcpuQuotas?: Readonly<Record<string, Readonly<Record<string, number>>>> | undefined;
}

/** One data file. */
export interface Table<Row> {
  readonly collectedAt: string;
  readonly rows: readonly Row[];
}

/** The data files of a catalogue. */
export type Tables = {
  readonly [Name in Exclude<keyof Catalogue, "version" | "vcpuQuotas">]: Table<
    Catalogue[Name][number]
  >;
};

/** One catalogue of the tables, with the date of the newest. */
export function catalogueOf(tables: Tables): Catalogue {
  const dates = Object.values(tables).map(({ collectedAt }) => collectedAt);
  return {
    version: dates.toSorted().at(-1) ?? "",
    models: tables.models.rows,
    accelerators: tables.accelerators.rows,
    instanceTypes: tables.instanceTypes.rows,
    sagemakerTypes: tables.sagemakerTypes.rows,
    cudaReleases: tables.cudaReleases.rows,
    pytorchReleases: tables.pytorchReleases.rows,
    licences: tables.licences.rows,
  };
}
