import type { Accelerator } from "../catalogue/accelerator.ts";
import type { Catalogue } from "../catalogue/catalogue.ts";
import type { PytorchRelease } from "../catalogue/software-release.ts";
import { vllmRelease } from "../catalogue/vllm-release.ts";
import { compareVersions } from "../compare-versions.ts";
import type { SizingEngine, WeightFormat } from "./workload.ts";

/** The software that a GPU is used with. */
export interface SoftwareStack {
  readonly pytorch: string;
  readonly cuda: string;
  /** Oldest Linux driver that runs both the GPU and that CUDA release; undefined where neither is known. */
  readonly minLinuxDriver: string | undefined;
}

function majorOf(version: string): string | undefined {
  return version.split(".")[0];
}

/**
 * Whether code for one capability runs on a GPU of another: of the same major and no higher minor, or as PTX on any that is
 * not older (https://docs.nvidia.com/cuda/cuda-c-programming-guide/#compute-capabilities).
 */
function runsOn(compiled: string, gpu: string, ptx: boolean): boolean {
  const sameMajor = majorOf(compiled) === majorOf(gpu);
  return (sameMajor || ptx) && compareVersions(compiled, gpu) <= 0;
}

function buildFor(release: PytorchRelease, capability: string): string | undefined {
  const builds = release.cudaBuilds.filter((build) => {
    const compiled = release.computeCapabilities?.[build] ?? [];
    const ptx = release.ptxBuilds?.includes(build) ?? false;
    const newest = compiled.toSorted(compareVersions).at(-1);
    return compiled.some((one) => runsOn(one, capability, ptx && one === newest));
  });
  const { defaultCudaBuild } = release;
  if (defaultCudaBuild !== undefined && builds.includes(defaultCudaBuild)) return defaultCudaBuild;
  return builds.toSorted(compareVersions).at(-1);
}

function newestOf(versions: readonly (string | undefined)[]): string | undefined {
  return versions
    .filter((version) => version !== undefined)
    .toSorted(compareVersions)
    .at(-1);
}

/** Engines without PyTorch of the host's: llama.cpp has none, and TGI's is in its image. */
const withoutPytorch: readonly (SizingEngine | undefined)[] = ["llama.cpp", "tgi"];

/** Whether an engine computes with a PyTorch that is installed on the host. */
export function usesPytorch(engine: SizingEngine | undefined): boolean {
  return !withoutPytorch.includes(engine);
}

/** The releases that an engine can be given, oldest first: vLLM brings one build of one. */
function releasesFor(
  engine: SizingEngine | undefined,
  releases: readonly PytorchRelease[],
): readonly PytorchRelease[] {
  if (engine !== "vllm") return releases.filter(({ heldBack }) => heldBack === undefined);
  return releases
    .filter(({ version }) => version === vllmRelease.torch)
    .map((release) => ({ ...release, cudaBuilds: [vllmRelease.cuda] }));
}

/**
 * The newest PyTorch that the engine can have with a build for the GPU, its CUDA release and the driver for both; undefined
 * where there is none.
 *
 * @param engine - what serves. @default nothing: any release will do
 */
export function softwareStack(
  accelerator: Pick<Accelerator, "computeCapability" | "minLinuxDriver">,
  { pytorchReleases, cudaReleases }: Pick<Catalogue, "pytorchReleases" | "cudaReleases">,
  engine?: SizingEngine,
): SoftwareStack | undefined {
  const { computeCapability, minLinuxDriver } = accelerator;
  for (const release of releasesFor(engine, pytorchReleases).toReversed()) {
    const cuda = buildFor(release, computeCapability);
    if (cuda === undefined) continue;
    const drivers = cudaReleases
      .filter(({ toolkit }) => toolkit === cuda)
      .map((row) => row.minLinuxDriverMinorCompatible ?? row.minLinuxDriver);
    const oldest = drivers.filter((driver) => driver !== undefined).toSorted(compareVersions)[0];
    return { pytorch: release.version, cuda, minLinuxDriver: newestOf([oldest, minLinuxDriver]) };
  }
  return undefined;
}

/** Least compute capability of a format's kernels in vLLM (docs.vllm.ai, quantization, supported hardware). */
const leastCapability: Partial<Record<WeightFormat, string>> = {
  fp8: "8.0",
  mxfp4: "8.0",
  "awq-int4": "7.5",
};

/** Why the weights' format cannot be computed with on that GPU; undefined when it can. */
export function formatProblem(
  format: string,
  { computeCapability }: Pick<Accelerator, "computeCapability">,
): string | undefined {
  const name = Object.keys(leastCapability).find((known) => format.startsWith(known));
  const least = name === undefined ? undefined : leastCapability[name as WeightFormat];
  if (least === undefined || compareVersions(computeCapability, least) >= 0) return undefined;
  return `${name ?? format} weights need compute capability ${least}, and it has ${computeCapability}`;
}
