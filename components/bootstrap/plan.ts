import { chooseDriver, driverWorks, refuseDriver, type DriverChoice } from "./choose-driver.ts";
import { vllmRelease } from "../catalogue/vllm-release.ts";
import { pythonPackages } from "./python-engines.ts";
import { choosePython, type PythonChoice } from "./choose-python.ts";
import { chooseTorch, refuseBuild, torchForCpu, type TorchBuild } from "./choose-torch.ts";
import type { HostFacts } from "./facts.ts";
import { gpusOnBus, hasNvSwitch } from "./gpu-hardware.ts";
import { packageSource, refuseSource } from "./package-source.ts";
import { chooseStorage, type StorageChoice } from "./choose-storage.ts";
import { planSteps, type BootstrapStep } from "./plan-steps.ts";
import { refuseGpusOnBus } from "./refuse-gpus.ts";
import { refuseRoom } from "./refuse-room.ts";
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
  /** What environments are made with; undefined where none is made. */
  readonly python: PythonChoice | undefined;
  /** PyTorch of the host's own Python environment; undefined where none is asked for or none fits. */
  readonly torch: TorchBuild | undefined;
  readonly reboot: RebootChoice;
  readonly steps: readonly BootstrapStep[];
  /** Every reason why the host cannot be made ready; with any, no step is to run. */
  readonly refusals: readonly Refusal[];
}

/** What builds of PyTorch are chosen by. */
interface BuildGround {
  readonly computeCapability: string;
  readonly driverVersion: string;
  readonly python: string | undefined;
}

function ground(
  facts: HostFacts,
  driver: DriverChoice,
  python: PythonChoice | undefined,
): BuildGround | undefined {
  const computeCapability = gpusOnBus(facts)[0]?.computeCapability;
  if (computeCapability === undefined) return undefined;
  const driverVersion = driverWorks(facts)
    ? (facts.gpus[0]?.driverVersion ?? "0")
    : String(driver.branch);
  const version = python?.version ?? "";
  return { computeCapability, driverVersion, python: version === "" ? undefined : version };
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
function ownTorch(wish: BootstrapWish, place: BuildGround | undefined) {
  const wanted = wish.torch ?? (pythonPackages(wish.engine) === undefined ? undefined : "newest");
  if (wanted === undefined) return undefined;
  const index = wish.mirror?.torchUrl;
  if (wish.gpu.count === 0) return wish.torch === undefined ? torchForCpu(index) : undefined;
  return place === undefined ? undefined : chooseTorch(wanted, { ...place, index });
}

/** Why the engine's own PyTorch does not run there. */
function refuseEngine(
  { emulated }: HostFacts,
  { engine, gpu }: BootstrapWish,
  place: BuildGround | undefined,
): Refusal[] {
  if (engine !== "vllm" || gpu.count === 0 || place === undefined || emulated) return [];
  const refusal = refuseBuild(vllmRelease.torch, vllmRelease.cuda, place);
  return refusal === undefined ? [] : [refusal];
}

/** Why there is no Python; a PyTorch that is named says it of each of its builds. */
function refusePython({ engine, python }: BootstrapWish, choice?: PythonChoice): Refusal[] {
  if (choice?.unfit === undefined || (engine !== "vllm" && python === undefined)) return [];
  const other = engine === "vllm" ? ", or set berth:engine to transformers" : "";
  const remedy = `Use a newer system, such as Ubuntu 24.04 or Debian 12${other}.`;
  return [{ code: "E_PYTHON", message: choice.unfit, remedy }];
}

/** Decides what to do from what is known; reads nothing itself. */
export function planBootstrap(facts: HostFacts, wish: BootstrapWish): BootstrapPlan {
  const driver = chooseDriver(facts, wish);
  const python = choosePython(facts, wish);
  const place = ground(facts, driver, python);
  const chosen = ownTorch(wish, place);
  const torch = chosen !== undefined && "torch" in chosen ? chosen : undefined;
  const storage = chooseStorage(facts);
  const fabricManager = driver.strategy !== "none" && !facts.emulated && hasNvSwitch(facts);
  const steps = planSteps({ facts, wish, driver, fabricManager, storage, torch, python });
  const refusals = [
    ...refuseDriver(facts, wish, driver),
    ...refuseGpusOnBus(facts, wish.gpu),
    ...(chosen !== undefined && "code" in chosen ? [chosen] : []),
    ...refusePython(wish, python),
    ...refuseEngine(facts, wish, place),
    ...refuseRoom(facts, { wish, driver, torch }),
    ...(steps.some(({ name }) => name === "sources")
      ? refuseSource(packageSource(facts, wish))
      : []),
    ...refuseRights(facts, steps),
  ];
  const reboot = chooseReboot(facts, driver);
  return { driver, fabricManager, storage, python, torch, reboot, steps, refusals };
}
