import type { GpuFact, HostFacts } from "./facts.ts";

/** What the host has to be. */
export interface BootstrapWish {
  readonly gpu: { readonly model: string; readonly count: number };
  readonly engine: string;
}

/** How the host gets its driver. */
export type DriverStrategy = "none" | "preinstalled" | "precompiled" | "dkms";

/** Why a host cannot be made ready. */
export interface Refusal {
  /** Stable name of the cause, such as `E_NO_GPU`. */
  readonly code: string;
  readonly message: string;
  /** What to do about it. */
  readonly remedy: string;
}

/** What will be done to a host, and why. */
export interface BootstrapPlan {
  readonly driver: { readonly strategy: DriverStrategy; readonly why: string };
  readonly steps: readonly ("prepare" | "driver" | "runtime" | "verify")[];
  readonly refusal: Refusal | undefined;
}

const allSteps = ["prepare", "driver", "runtime", "verify"] as const;
/** Room for Node, the engine and logs, MiB; the weights are checked for by their own sync. */
const minimumFreeMiB = 600;
const imageRemedy =
  "Use a machine image that has NVIDIA's driver, such as the AWS Deep Learning Base AMI (leave `imageId` unset to get it).";

function chooseDriver(facts: HostFacts, wish: BootstrapWish): BootstrapPlan["driver"] {
  if (wish.gpu.count === 0) return { strategy: "none", why: "no GPU is asked for" };
  if (facts.nvidiaSmi === 0) {
    const from = facts.emulated
      ? "an emulated driver answers"
      : `driver ${facts.gpus[0]?.driverVersion ?? "?"} answers`;
    return { strategy: "preinstalled", why: from };
  }
  if (facts.os === "ubuntu") {
    return {
      strategy: "precompiled",
      why: "no working driver, and Ubuntu ships signed modules for its kernels",
    };
  }
  return {
    strategy: "dkms",
    why: `no working driver, and no prebuilt modules for ${facts.os} ${facts.osVersion}`,
  };
}

function refuseDriver(facts: HostFacts, driver: BootstrapPlan["driver"]): Refusal | undefined {
  if (driver.strategy === "none" || driver.strategy === "preinstalled") return undefined;
  if (facts.pciGpus === 0 && !facts.emulated) {
    return {
      code: "E_NO_GPU",
      message: "the host has no NVIDIA GPU on its PCI bus",
      remedy: "The instance type is not a GPU type: choose another one with `instanceTypes`.",
    };
  }
  const says = facts.nvidiaSmiSays === "" ? "" : `: ${facts.nvidiaSmiSays}`;
  const state =
    facts.nvidiaSmi === "absent"
      ? "nvidia-smi is not installed"
      : `nvidia-smi ends with status ${facts.nvidiaSmi}${says}`;
  if (facts.nvidiaSmiSays.includes("version mismatch")) {
    return {
      code: "E_MISMATCH",
      message: `${state}; the loaded module is ${facts.moduleVersion}`,
      remedy:
        "Reboot the host, so that the module that fits the installed driver is loaded, then run `up` again.",
    };
  }
  return {
    code: "E_DRIVER",
    message: `${state}; the driver would have to be installed (${driver.strategy}: ${driver.why}), which is not supported yet`,
    remedy: imageRemedy,
  };
}

/** Decides what to do from what is known; reads nothing itself. */
export function planBootstrap(facts: HostFacts, wish: BootstrapWish): BootstrapPlan {
  const driver = chooseDriver(facts, wish);
  const room: Refusal | undefined =
    facts.freeMiB < minimumFreeMiB
      ? {
          code: "E_DISK",
          message: `the data folder's disk has ${facts.freeMiB} MiB free, and ${minimumFreeMiB} MiB are needed`,
          remedy: "Give the host a larger root volume with `rootVolumeGiB`.",
        }
      : undefined;
  return { driver, steps: allSteps, refusal: refuseDriver(facts, driver) ?? room };
}

function plainModel(name: string): string {
  return name.toLowerCase().replaceAll(/nvidia|tesla|geforce|[^a-z0-9]/g, "");
}

/** What is wrong with the GPUs that a host shows; undefined when they are the ones that were asked for. */
export function refuseGpus(
  gpus: readonly GpuFact[],
  wish: BootstrapWish["gpu"],
): Refusal | undefined {
  const listed = gpus.length === 0 ? "none" : gpus.map(({ name }) => name).join(", ");
  if (gpus.length !== wish.count) {
    return {
      code: gpus.length < wish.count ? "E_GPU_MISSING" : "E_GPU_COUNT",
      message: `nvidia-smi lists ${gpus.length} GPUs (${listed}), and ${wish.count} are expected`,
      remedy:
        "A GPU that is missing on the right instance type is a hardware fault: stop and start the instance to move it.",
    };
  }
  const stranger = gpus.find(({ name }) => !plainModel(name).includes(plainModel(wish.model)));
  if (stranger === undefined) return undefined;
  return {
    code: "E_GPU_MODEL",
    message: `GPU ${stranger.index} is a ${stranger.name}, and ${wish.model} is expected`,
    remedy:
      "The instance type and the catalogue disagree: report it with the instance type's name.",
  };
}
