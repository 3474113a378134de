import { chooseDriver, driverWorks, refuseDriver, type DriverChoice } from "./choose-driver.ts";
import { vllmRelease } from "../catalogue/vllm-release.ts";
import { pythonPackages } from "./python-engines.ts";
import {
  chooseTorch,
  compareVersions,
  refuseBuild,
  torchForCpu,
  type TorchBuild,
} from "./choose-torch.ts";
import type { HostFacts } from "./facts.ts";
import { gpusOnBus, hasNvSwitch } from "./gpu-hardware.ts";
import { packageSource, refuseSource } from "./package-source.ts";
import { chooseStorage, type StorageChoice } from "./choose-storage.ts";
import { planSteps, type BootstrapStep } from "./plan-steps.ts";
import { refuseGpusOnBus } from "./refuse-gpus.ts";
import type { Refusal } from "./refusal.ts";
import type { BootstrapWish } from "./wish.ts";

/** The reboot of a plan: there is at most one. */
export interface RebootChoice {
  readonly when: "never" | "if-needed";
  readonly why: string;
}

/** What will be done to a host, and why. */
export interface BootstrapPlan {
  readonly driver: DriverChoice;
  readonly fabricManager: boolean;
  readonly storage: StorageChoice;
  /** PyTorch of the host's own Python environment; undefined where none is asked for or none fits. */
  readonly torch: TorchBuild | undefined;
  readonly reboot: RebootChoice;
  readonly steps: readonly BootstrapStep[];
  /** Every reason why the host cannot be made ready; with any, no step is to run. */
  readonly refusals: readonly Refusal[];
}

/** Room for Node, the engine and logs, MiB; the weights are checked for by their own sync. */
const minimumFreeMiB = 600;
/** Room on the root disk for a driver: 0.7 to 2.0 GB were installed on Ubuntu 24.04 with branch 580. */
const driverMiB = 3000;
/** Room for a Python environment with PyTorch: the packages of PyTorch 2.9 for CUDA 12.8 take 7 GB on disk. */
const torchMiB = 8000;

function ground(facts: HostFacts, driver: DriverChoice) {
  const capability = gpusOnBus(facts)[0]?.computeCapability;
  if (capability === undefined) return undefined;
  const driverVersion = driverWorks(facts)
    ? (facts.gpus[0]?.driverVersion ?? "0")
    : String(driver.branch);
  const python = facts.python === "" ? undefined : facts.python;
  return { computeCapability: capability, driverVersion, python };
}

/** Whether an environment with PyTorch is still to be made. */
function makesEnvironment(facts: HostFacts, { engine }: BootstrapWish, torch?: TorchBuild) {
  const own = (build: TorchBuild): boolean =>
    facts.torch.startsWith(`${build.torch}.`) &&
    facts.torch.endsWith(`+${build.indexUrl.split("/").at(-1) ?? ""}`);
  const vllm = engine === "vllm" && !facts.emulated && !facts.vllm.includes(vllmRelease.version);
  return vllm || (torch !== undefined && !own(torch));
}

function refuseRoom(facts: HostFacts, driver: DriverChoice, python: boolean): Refusal[] {
  const installs = driver.strategy === "precompiled" || driver.strategy === "dkms";
  const wanted = [
    {
      what: "the data folder's disk",
      free: facts.freeMiB,
      needed: minimumFreeMiB + (python ? torchMiB : 0),
    },
    { what: "the root disk", free: facts.rootFreeMiB, needed: installs ? driverMiB : 0 },
  ];
  return wanted
    .filter(({ free, needed }) => free < needed)
    .map(({ what, free, needed }) => ({
      code: "E_DISK",
      message: `${what} has ${free} MiB free, and ${needed} MiB are needed`,
      remedy: "Give the host a larger root volume with `rootVolumeGiB`.",
    }));
}

function refuseRights(facts: HostFacts, steps: readonly BootstrapStep[]): Refusal[] {
  const needing = steps.filter(({ asRoot }) => asRoot).map(({ name }) => name);
  if (facts.privileged || needing.length === 0) return [];
  return [
    {
      code: "E_ROOT",
      message: `${facts.user} cannot become root without a password, which ${needing.join(", ")} need`,
      remedy: "Log in as a user with passwordless sudo.",
    },
  ];
}

function chooseReboot(facts: HostFacts, driver: DriverChoice): RebootChoice {
  if (driver.strategy === "none" || (driverWorks(facts) && driver.strategy === "preinstalled"))
    return { when: "never", why: "nothing of the kernel changes" };
  if (facts.foreignModule !== "")
    return {
      when: "if-needed",
      why: `${facts.foreignModule} holds the GPU and may not let go of it`,
    };
  if (facts.moduleLoaded)
    return {
      when: "if-needed",
      why: "the loaded module may be in use and not let itself be replaced",
    };
  return { when: "if-needed", why: "only if the new module does not load in the running kernel" };
}

/** The PyTorch of the host's own environment, or why there is none; undefined where none is asked for. */
function ownTorch(facts: HostFacts, wish: BootstrapWish, driver: DriverChoice) {
  const wanted = wish.torch ?? (pythonPackages(wish.engine) === undefined ? undefined : "newest");
  if (wanted === undefined) return undefined;
  const index = wish.mirror?.torchUrl;
  if (wish.gpu.count === 0) return wish.torch === undefined ? torchForCpu(index) : undefined;
  const place = ground(facts, driver);
  return place === undefined ? undefined : chooseTorch(wanted, { ...place, index });
}

/** Why the engine's own PyTorch does not run there. */
function refuseEngine(facts: HostFacts, wish: BootstrapWish, driver: DriverChoice): Refusal[] {
  const place = ground(facts, driver);
  if (wish.engine !== "vllm" || wish.gpu.count === 0 || place === undefined || facts.emulated)
    return [];
  return [refuseOldPython(facts), refuseBuild(vllmRelease.torch, vllmRelease.cuda, place)].filter(
    (each) => each !== undefined,
  );
}

/** Why vLLM is not installed on the host's Python; a host without Python is given one. */
function refuseOldPython({ python, os, osVersion }: HostFacts): Refusal | undefined {
  const { version, python: oldest } = vllmRelease;
  if (python === "" || compareVersions(python, oldest) >= 0) return undefined;
  return {
    code: "E_PYTHON",
    message: `vLLM ${version} needs Python ${oldest} or later, and ${os} ${osVersion} has ${python}`,
    remedy:
      "Use a newer system, such as Ubuntu 24.04 or Debian 12, or set berth:engine to transformers.",
  };
}

/** Decides what to do from what is known; reads nothing itself. */
export function planBootstrap(facts: HostFacts, wish: BootstrapWish): BootstrapPlan {
  const driver = chooseDriver(facts, wish);
  const chosen = ownTorch(facts, wish, driver);
  const torch = chosen !== undefined && "torch" in chosen ? chosen : undefined;
  const storage = chooseStorage(facts);
  const fabricManager = driver.strategy !== "none" && !facts.emulated && hasNvSwitch(facts);
  const steps = planSteps({ facts, wish, driver, fabricManager, storage, torch });
  const python = makesEnvironment(facts, wish, torch);
  const refusals = [
    ...refuseDriver(facts, wish, driver),
    ...refuseGpusOnBus(facts, wish.gpu),
    ...(chosen !== undefined && "code" in chosen ? [chosen] : []),
    ...refuseEngine(facts, wish, driver),
    ...refuseRoom(facts, driver, python),
    ...(steps.some(({ name }) => name === "sources")
      ? refuseSource(packageSource(facts, wish))
      : []),
    ...refuseRights(facts, steps),
  ];
  const reboot = chooseReboot(facts, driver);
  return { driver, fabricManager, storage, torch, reboot, steps, refusals };
}
