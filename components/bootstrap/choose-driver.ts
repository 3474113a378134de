import { isGpu, type HostFacts } from "./facts.ts";
import { gpusOnBus, isSlice, lastClosedBranch, type ModuleFlavour } from "./gpu-hardware.ts";
import type { Refusal } from "./refusal.ts";
import type { BootstrapWish } from "./wish.ts";

/** How the host gets its driver. */
export type DriverStrategy = "none" | "preinstalled" | "precompiled" | "dkms";

/** One way to a driver, and why it is tried. */
export interface DriverWay {
  readonly strategy: DriverStrategy;
  readonly why: string;
}

/** The driver that a host is to have. */
export interface DriverChoice extends DriverWay {
  /** Ways that are tried, in order, when the first one turns out not to be open. */
  readonly fallbacks: readonly DriverWay[];
  readonly branch: number;
  readonly modules: ModuleFlavour;
  readonly modulesWhy: string;
}

/** NVIDIA's long-term branch at the time of writing; it drives all from Volta to B300. */
const usualBranch = 580;

/** Systems that a driver is installed on, by `ID` and `VERSION_ID` of os-release. */
const dkmsSystems = ["ubuntu 22.04", "ubuntu 24.04", "debian 12", "debian 13", "amzn 2023"];
const precompiledSystems = ["ubuntu 22.04", "ubuntu 24.04"];

/** Whether a driver answers, so that there is nothing to install. */
export function driverWorks(facts: HostFacts): boolean {
  return facts.nvidiaSmi === 0;
}

function branchFor(facts: HostFacts, wish: BootstrapWish): number {
  if (wish.driver?.branch !== undefined) return wish.driver.branch;
  const gpus = gpusOnBus(facts);
  return Math.max(usualBranch, ...gpus.map(({ minimumBranch }) => minimumBranch));
}

/** Ways to a driver on a host that has none that works, best first. */
function installWays(facts: HostFacts): DriverWay[] {
  const system = `${facts.os} ${facts.osVersion}`;
  const ways: DriverWay[] = [];
  if (precompiledSystems.includes(system)) {
    ways.push({
      strategy: "precompiled",
      why: "Ubuntu signs modules for its kernels: nothing to compile, no reboot; taken when its archive has them for this kernel",
    });
  }
  if (dkmsSystems.includes(system) && !facts.secureBoot) {
    const why = precompiledSystems.includes(system)
      ? "compiled on the host where the archive has no module for its kernel"
      : `there are no prebuilt modules for ${system}; compiled on the host`;
    ways.push({ strategy: "dkms", why });
  }
  return ways;
}

function present(facts: HostFacts): DriverWay {
  if (driverWorks(facts)) {
    const version = facts.gpus[0]?.driverVersion ?? "?";
    const why = facts.emulated ? "an emulated driver answers" : `driver ${version} answers`;
    return { strategy: "preinstalled", why };
  }
  const why = facts.nvidiaSmiSays.includes("version mismatch")
    ? `the loaded module ${facts.moduleVersion} is not the installed driver's: it is loaded anew, by a reboot where that fails`
    : `a driver is installed and does not answer (nvidia-smi: status ${facts.nvidiaSmi}): its modules are loaded`;
  return { strategy: "preinstalled", why };
}

/** Kernel modules as asked for, else as the first GPU needs them. */
function modulesFor(
  facts: HostFacts,
  wish: BootstrapWish,
): Pick<DriverChoice, "modules" | "modulesWhy"> {
  if (wish.driver?.modules !== undefined)
    return { modules: wish.driver.modules, modulesWhy: "asked for" };
  const [gpu] = gpusOnBus(facts);
  if (gpu === undefined) return { modules: "open", modulesWhy: "no GPU on the bus" };
  return {
    modules: gpu.modules[0] ?? "open",
    modulesWhy: `${gpu.architecture}: ${gpu.modulesWhy}`,
  };
}

/** Every way to a driver, in the order they are tried. */
function driverWays(facts: HostFacts, wish: BootstrapWish): readonly DriverWay[] {
  const replace = wish.driver?.replace === true && !facts.emulated;
  const there = facts.nvidiaSmi === "absent" || replace ? [] : [present(facts)];
  const installed = driverWorks(facts) && !replace ? [] : installWays(facts);
  return [...there, ...installed];
}

/** Chooses the way to a driver, its branch and its kind of modules. */
export function chooseDriver(facts: HostFacts, wish: BootstrapWish): DriverChoice {
  const rest = { branch: branchFor(facts, wish), ...modulesFor(facts, wish) };
  if (wish.gpu.count === 0)
    return { strategy: "none", why: "no GPU is asked for", fallbacks: [], ...rest };
  const [first, ...fallbacks] = driverWays(facts, wish);
  if (first !== undefined) return { ...first, fallbacks, ...rest };
  const why = `no driver, and none can be installed on ${facts.os} ${facts.osVersion}`;
  return { strategy: "none", why, fallbacks, ...rest };
}

/** What is wrong with the choice's branch or modules for the GPUs that are there. */
function refuseHardware(facts: HostFacts, driver: DriverChoice): Refusal[] {
  const refusals: Refusal[] = [];
  for (const gpu of new Map(gpusOnBus(facts).map((each) => [each.device, each])).values()) {
    const name = `${gpu.model ?? `10de:${gpu.device}`} (${gpu.architecture})`;
    if (gpu.modules.length === 0) {
      refusals.push({
        code: "E_FLAVOUR",
        message: `${name} is too old: ${gpu.modulesWhy}`,
        remedy: "Use a GPU of Volta or later.",
      });
    } else if (!gpu.modules.includes(driver.modules)) {
      refusals.push({
        code: "E_FLAVOUR",
        message: `${name} does not run with ${driver.modules} kernel modules: ${gpu.modulesWhy}`,
        remedy: `Ask for ${gpu.modules.join(" or ")} modules, or leave the choice to berth.`,
      });
    }
    if (driver.branch < gpu.minimumBranch || driver.branch > gpu.lastBranch) {
      const bound =
        driver.branch < gpu.minimumBranch
          ? `${gpu.minimumBranch} or later`
          : `${gpu.lastBranch} or earlier`;
      refusals.push({
        code: "E_FLAVOUR",
        message: `${name} needs driver branch ${bound}, and ${driver.branch} is asked for`,
        remedy: "Leave the branch out, and berth takes one that fits.",
      });
    }
  }
  if (driver.modules === "closed" && driver.branch > lastClosedBranch) {
    refusals.push({
      code: "E_FLAVOUR",
      message: `driver branch ${driver.branch} has no closed kernel modules`,
      remedy: `Ask for a branch up to ${lastClosedBranch}, or for open modules.`,
    });
  }
  return refusals;
}

/** Why there is nothing to be done about a driver that does not answer. */
function refuseInstall(facts: HostFacts, driver: DriverChoice): Refusal[] {
  const says = facts.nvidiaSmiSays === "" ? "" : `: ${facts.nvidiaSmiSays}`;
  const state =
    facts.nvidiaSmi === "absent"
      ? "nvidia-smi is not installed"
      : `nvidia-smi ends with status ${facts.nvidiaSmi}${says}`;
  // The statuses are those of nvidia-smi(1): 14 a corrupt infoROM, 15 a GPU that has fallen off the bus.
  if (facts.nvidiaSmi === 14 || facts.nvidiaSmi === 15) {
    return [
      {
        code: "E_XID_FATAL",
        message: `${state}: the GPU is broken`,
        remedy: "Stop and start the instance: that moves it to another machine.",
      },
    ];
  }
  if (facts.emulated) {
    return [
      {
        code: facts.nvidiaSmiSays.includes("version mismatch") ? "E_MISMATCH" : "E_DRIVER",
        message: `${state}, and a machine with emulated GPUs gets no driver`,
        remedy: "Start the machine anew.",
      },
    ];
  }
  if (driver.strategy === "none") {
    const onlyDkms = facts.secureBoot && dkmsSystems.includes(`${facts.os} ${facts.osVersion}`);
    return [
      {
        code: onlyDkms ? "E_SECUREBOOT" : "E_DRIVER",
        message: onlyDkms
          ? `${state}; the driver would be compiled on the host, and Secure Boot refuses modules that nobody signed`
          : `${state}; ${driver.why}`,
        remedy: onlyDkms
          ? "Turn Secure Boot off, use Ubuntu 22.04 or 24.04 (whose modules are signed), or an image with the driver."
          : "Use a machine image that has NVIDIA's driver, such as the AWS Deep Learning Base AMI (leave `imageId` unset to get it).",
      },
    ];
  }
  return [];
}

/** Every reason why the driver cannot be had. */
export function refuseDriver(
  facts: HostFacts,
  wish: BootstrapWish,
  driver: DriverChoice,
): Refusal[] {
  if (wish.gpu.count === 0) return [];
  const installs = driver.strategy !== "preinstalled" || driver.fallbacks.length > 0;
  if (driverWorks(facts) && !installs) return [];
  if (facts.pciGpus === 0 && !facts.emulated) {
    return [
      {
        code: "E_NO_GPU",
        message: "the host has no NVIDIA GPU on its PCI bus",
        remedy: "The instance type is not a GPU type: choose another one with `instanceTypes`.",
      },
    ];
  }
  if (facts.pci.some((pci) => isGpu(pci) && isSlice(pci))) {
    return [
      {
        code: "E_GRID",
        message: "the GPU is a slice of an L4 (g6f, gr6f), which needs NVIDIA's GRID driver",
        remedy: "Use g6 instead, or an image that has the GRID driver.",
      },
    ];
  }
  return [...refuseInstall(facts, driver), ...(installs ? refuseHardware(facts, driver) : [])];
}
