import cudaTable from "../catalogue/data/cuda.json" with { type: "json" };
import torchTable from "../catalogue/data/pytorch.json" with { type: "json" };
import type { CudaRelease, PytorchRelease } from "../catalogue/software-release.ts";
import { compareVersions } from "../compare-versions.ts";
import type { Refusal } from "./refusal.ts";

/** A build of PyTorch: its release, the CUDA it was built with, and where pip finds it. */
export interface TorchBuild {
  /** Such as "2.9". */
  readonly torch: string;
  /** Such as "12.8". */
  readonly cuda: string;
  /** https://pytorch.org/get-started/locally names the address for each build. */
  readonly indexUrl: string;
  readonly why: string;
}

/** What a build has to run on. */
export interface TorchGround {
  /** Of the GPUs, such as "8.9". */
  readonly computeCapability: string;
  /** Such as "580.126.09", or a branch alone. */
  readonly driverVersion: string;
  /** Such as "3.12.3"; undefined asks for nothing. */
  readonly python?: string | undefined;
  /** Where builds come from. @default https://download.pytorch.org/whl */
  readonly index?: string | undefined;
}

const pytorchIndex = "https://download.pytorch.org/whl";
const cudaReleases: readonly CudaRelease[] = cudaTable.rows;
// JSON's type has the builds of every row in one; the schema's is a record.
const torchReleases = torchTable.rows as unknown as readonly PytorchRelease[];

/** The oldest driver that runs programs of a CUDA release, by compatibility within a major release where there is one. */
function oldestDriver(cuda: string): string | undefined {
  const release = cudaReleases.find(({ toolkit }) => toolkit === cuda);
  return release?.minLinuxDriverMinorCompatible ?? release?.minLinuxDriver;
}

/** Whether code compiled for one capability runs on another: the same major number, not a lower minor one. */
function runsOn(compiled: string, capability: string): boolean {
  const sameMajor = compiled.split(".")[0] === capability.split(".")[0];
  return sameMajor && compareVersions(capability, compiled) >= 0;
}

function hasCode(release: PytorchRelease, cuda: string, capability: string): boolean {
  const compiled = release.computeCapabilities?.[cuda];
  if (compiled !== undefined) {
    if (compiled.some((each) => runsOn(each, capability))) return true;
    // PTX of the newest capability is compiled by the driver for a higher one.
    const newest = compiled.toSorted(compareVersions).at(-1) ?? "99";
    const ptx = release.ptxBuilds?.includes(cuda) === true;
    return ptx && compareVersions(capability, newest) > 0;
  }
  const range = cudaReleases.find(({ toolkit }) => toolkit === cuda);
  const oldest = range?.minComputeCapability ?? "0";
  const newest = range?.maxComputeCapability ?? "99";
  return compareVersions(capability, oldest) >= 0 && compareVersions(capability, newest) <= 0;
}

function driverRuns(cuda: string, driverVersion: string): boolean {
  const oldest = oldestDriver(cuda);
  return oldest === undefined || compareVersions(driverVersion, oldest) >= 0;
}

/** Why a build does not run, and what would have to be another one. */
interface Objection {
  readonly lies: "GPU" | "driver" | "Python";
  readonly why: string;
}

/** Why one build does not run there; undefined when it does. */
function objection(row: PytorchRelease, cuda: string, ground: TorchGround): Objection | undefined {
  const build = `PyTorch ${row.version} with CUDA ${cuda}`;
  const { computeCapability, driverVersion } = ground;
  if (!hasCode(row, cuda, computeCapability))
    return { lies: "GPU", why: `${build} has no code for compute capability ${computeCapability}` };
  if (!driverRuns(cuda, driverVersion)) {
    const minimum = oldestDriver(cuda) ?? "?";
    const why = `${build} needs driver ${minimum} or later, and the host has ${driverVersion}`;
    return { lies: "driver", why };
  }
  const minor = ground.python?.split(".").slice(0, 2).join(".");
  if (minor !== undefined && !row.pythonVersions.includes(minor))
    return { lies: "Python", why: `${build} has no package for Python ${minor}` };
  return undefined;
}

/** What would help against any of these objections. */
function remedyOf(objections: readonly Objection[], first: string): string {
  const helps = {
    GPU: "use an instance type with another GPU",
    driver: "let berth install a newer driver",
    Python: "use a system with another Python",
  };
  const lies = new Set(objections.map((each) => each.lies));
  return `${[first, ...[...lies].map((each) => helps[each])].join(", or ")}.`;
}

/** Whether it is known which GPUs a release is compiled for, and nothing holds it back: as a plan, "newest" takes no other. */
function isKnown({ computeCapabilities, heldBack }: PytorchRelease): boolean {
  return computeCapabilities !== undefined && heldBack === undefined;
}

/**
 * Versions of Python ("3.12") that a PyTorch release has packages for; undefined for a release that is not in the table.
 *
 * @param wanted a release; `"newest"` is all that may be chosen, `"last"` the newest of them
 */
export function pythonsOf(wanted: string): readonly string[] | undefined {
  const known = torchReleases.filter(isKnown);
  if (wanted === "newest") return [...new Set(known.flatMap((row) => row.pythonVersions))];
  const last = known.toSorted((a, b) => compareVersions(b.version, a.version))[0];
  if (wanted === "last") return last?.pythonVersions;
  return torchReleases.find(({ version }) => version === wanted)?.pythonVersions;
}

/** Its builds, newest first; where no release is named, the one that its project makes the default before them, as a plan says. */
function buildsOf(
  { cudaBuilds, defaultCudaBuild }: PytorchRelease,
  byDefault: boolean,
): readonly string[] {
  const first = (cuda: string) => (byDefault && cuda === defaultCudaBuild ? 0 : 1);
  return cudaBuilds.toSorted((a, b) => first(a) - first(b) || compareVersions(b, a));
}

/**
 * The best build of a PyTorch release (`"newest"`: of any) that runs on the GPU, the driver and the Python there; a
 * refusal with each build's objection when there is none.
 */
export function chooseTorch(wanted: string, ground: TorchGround): TorchBuild | Refusal {
  const rows = torchReleases
    .filter((row) => (wanted === "newest" ? isKnown(row) : row.version === wanted))
    .toSorted((a, b) => compareVersions(b.version, a.version));
  if (rows.length === 0) {
    const known = torchReleases.map(({ version }) => version).join(", ");
    return {
      code: "E_CUDA_COMPAT",
      message: `PyTorch ${wanted} is not in the compatibility table`,
      remedy: `Ask for one of ${known}, or "newest".`,
    };
  }
  const objections: Objection[] = [];
  for (const row of rows) {
    for (const cuda of buildsOf(row, wanted === "newest")) {
      const why = objection(row, cuda, ground);
      if (why === undefined) {
        const indexUrl = `${ground.index ?? pytorchIndex}/cu${cuda.replace(".", "")}`;
        const runs = `compute capability ${ground.computeCapability} and driver ${ground.driverVersion}`;
        return { torch: row.version, cuda, indexUrl, why: `runs on ${runs}` };
      }
      objections.push(why);
    }
  }
  return {
    code: "E_CUDA_COMPAT",
    message: objections
      .slice(0, 4)
      .map(({ why }) => why)
      .join("; "),
    remedy: remedyOf(objections, "Ask for another PyTorch release"),
  };
}

/** The newest release's build without CUDA, for a host that computes on its processors. */
export function torchForCpu(index = pytorchIndex): TorchBuild {
  const [newest] = torchReleases
    .filter(isKnown)
    .toSorted((a, b) => compareVersions(b.version, a.version));
  const torch = newest?.version ?? "2.9";
  return { torch, cuda: "none", indexUrl: `${index}/cpu`, why: "no GPU is asked for" };
}

/** Whether one named build runs there, for engines that bring their own; the refusal when it does not. */
export function refuseBuild(torch: string, cuda: string, ground: TorchGround): Refusal | undefined {
  const row = torchReleases.find((each) => each.version === torch);
  const against = row === undefined ? undefined : objection(row, cuda, ground);
  if (against === undefined) return undefined;
  return {
    code: "E_CUDA_COMPAT",
    message: against.why,
    remedy: remedyOf([against], "Choose another engine"),
  };
}
