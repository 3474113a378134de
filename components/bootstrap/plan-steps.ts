import { driverWorks, type DriverChoice, type DriverWay } from "./choose-driver.ts";
import type { PythonChoice } from "./choose-python.ts";
import type { StorageChoice } from "./choose-storage.ts";
import type { TorchBuild } from "./choose-torch.ts";
import { dataFolderWord } from "./data-folder-word.ts";
import type { HostFacts } from "./facts.ts";
import { hasNvLink5 } from "./gpu-hardware.ts";
import { packageSource } from "./package-source.ts";
import { packagesFirst, softwareSteps } from "./software-steps.ts";
import type { BootstrapWish } from "./wish.ts";

/** The names of steps; each but `runtime` is a shell file of `steps/`, or several where there are several ways. */
export type StepName =
  | "prepare"
  | "storage"
  | "sources"
  | "driver"
  | "fabric-manager"
  | "containers"
  | "interpreter"
  | "python"
  | "runtime"
  | "verify";

/** One way to do a step: a file of `steps/` and what it is given. `DATA_FOLDER` stands for the folder on the host. */
export interface StepWay {
  readonly script: string;
  readonly args: readonly string[];
  readonly why: string;
}

/** One step of a plan. */
export interface BootstrapStep {
  readonly name: StepName;
  /** Ways in the order they are tried; the next one only for failures that say so. */
  readonly ways: readonly [StepWay, ...StepWay[]];
  /** Steps that must have ended before. */
  readonly after: readonly StepName[];
  /** It installs packages: of such steps one runs at a time. */
  readonly usesPackages: boolean;
  /** It needs root. */
  readonly asRoot: boolean;
}

/** What the steps follow from. */
export interface StepGround {
  readonly facts: HostFacts;
  readonly wish: BootstrapWish;
  readonly driver: DriverChoice;
  readonly fabricManager: boolean;
  readonly storage: StorageChoice;
  readonly torch: TorchBuild | undefined;
  /** What environments are made with; undefined where none is made. */
  readonly python: PythonChoice | undefined;
}

/** A step before it is known which others there are. */
export type Draft = Omit<BootstrapStep, "after"> & { readonly after?: readonly StepName[] };

function installsDriver({ driver }: StepGround): boolean {
  return [driver, ...driver.fallbacks].some(
    ({ strategy }) => strategy === "precompiled" || strategy === "dkms",
  );
}

function driverWay(ground: StepGround, { strategy, why }: DriverWay): StepWay {
  const { facts, driver } = ground;
  const { branch, modules } = driver;
  if (strategy === "precompiled")
    return { script: "driver-precompiled", args: [String(branch), modules], why };
  if (strategy === "dkms") {
    const gcc = facts.kernelGcc > 0 ? String(facts.kernelGcc) : "";
    return facts.os === "amzn"
      ? { script: "driver-dnf", args: [String(branch), modules], why }
      : { script: "driver-dkms", args: [String(branch), modules, gcc], why };
  }
  return { script: "driver", args: [strategy, facts.emulated ? "yes" : "no"], why };
}

/** The step that brings package lists up to date, and adds NVIDIA's repository where it is needed. */
function sourcesWay(ground: StepGround): StepWay {
  const { facts, wish } = ground;
  const source = packageSource(facts, wish);
  const { url, keyPin } = source;
  if (facts.os === "amzn") return { script: "sources-dnf", args: [url, keyPin], why: source.why };
  // Installed here, so that environments are made while the driver has the package system.
  const first = packagesFirst(ground).join(" ");
  const added = source.kind === "nvidia" ? [url, keyPin, ...source.only] : [];
  const why = first === "" ? source.why : `${source.why}; ${first.replaceAll(" ", ", ")} too`;
  return { script: "sources", args: [first, source.kind, ...added], why };
}

function prepareSteps(ground: StepGround): Draft[] {
  const { facts, storage, wish } = ground;
  const steps: Draft[] = [
    {
      name: "prepare",
      ways: [
        {
          script: "prepare",
          args: [dataFolderWord],
          why: "first boot ends, nothing else installs, folders are there",
        },
      ],
      usesPackages: true,
      asRoot: false,
    },
  ];
  const places = storage.imageStorage === undefined ? storage.disks : [storage.imageStorage];
  if (places.length > 0) {
    steps.push({
      name: "storage",
      ways: [
        {
          script: "storage",
          args: [`${dataFolderWord}/weights`, ...places],
          why: storage.why,
        },
      ],
      usesPackages: storage.disks.length > 1,
      asRoot: true,
    });
  }
  const toolkit = wish.containers === true && !facts.containerToolkit;
  if (installsDriver(ground) || toolkit || packagesFirst(ground).length > 0) {
    steps.push({
      name: "sources",
      ways: [sourcesWay(ground)],
      usesPackages: true,
      asRoot: true,
    });
  }
  return steps;
}

function driverSteps(ground: StepGround): Draft[] {
  const { facts, driver, fabricManager, wish } = ground;
  if (driver.strategy === "none") return [];
  const rest = driver.fallbacks.map((way) => driverWay(ground, way));
  const usesPackages = installsDriver(ground);
  const steps: Draft[] = [
    {
      name: "driver",
      ways: [driverWay(ground, driver), ...rest],
      after: ["sources"],
      usesPackages,
      asRoot: !facts.emulated && !driverWorks(facts),
    },
  ];
  if (fabricManager) {
    const why = "GPUs behind NVSwitch answer CUDA with error 802 until it runs";
    steps.push({
      name: "fabric-manager",
      ways: [{ script: "fabric-manager", args: hasNvLink5(facts) ? ["nvlink5"] : [], why }],
      after: ["driver"],
      usesPackages: true,
      asRoot: true,
    });
  }
  if (wish.containers === true) {
    steps.push({
      name: "containers",
      ways: [{ script: "containers", args: [], why: "containers are to see the GPUs" }],
      after: ["sources"],
      usesPackages: true,
      asRoot: true,
    });
  }
  return steps;
}

function verifySteps({ wish, facts, fabricManager }: StepGround): Draft[] {
  if (wish.gpu.count === 0) return [];
  const why = "a driver that loads is not yet CUDA that computes";
  return [
    {
      name: "verify",
      ways: [{ script: "verify", args: [facts.emulated ? "yes" : "no"], why }],
      after: fabricManager ? ["driver", "fabric-manager"] : ["driver"],
      usesPackages: false,
      asRoot: false,
    },
  ];
}

/** The steps of a plan, each after those that it names and that are part of the plan; all come after `prepare`. */
export function planSteps(ground: StepGround): readonly BootstrapStep[] {
  const drafts = [
    ...prepareSteps(ground),
    ...driverSteps(ground),
    ...softwareSteps(ground),
    ...verifySteps(ground),
  ];
  const names = new Set(drafts.map(({ name }) => name));
  return drafts.map((draft) => {
    const wanted = draft.name === "prepare" ? [] : ["prepare" as const, ...(draft.after ?? [])];
    return { ...draft, after: wanted.filter((name) => names.has(name)) };
  });
}
