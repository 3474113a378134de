import table from "./compatibility/gpu-devices.json" with { type: "json" };
import { isGpu, type HostFacts, type PciFact } from "./facts.ts";

/** The two kinds of NVIDIA's kernel modules. */
export type ModuleFlavour = "open" | "closed";

/** What a GPU's PCI number tells of it. */
export interface GpuHardware {
  readonly device: string;
  /** Such as `L4`; undefined for a board that the table does not name. */
  readonly model: string | undefined;
  /** NVIDIA's name, such as `Ada Lovelace`; "unknown" beyond the table. */
  readonly architecture: string;
  /** Such as "8.9"; undefined for a board that the table does not name. */
  readonly computeCapability: string | undefined;
  /** The flavours that drive it, the recommended one first. */
  readonly modules: readonly ModuleFlavour[];
  /** Why these. */
  readonly modulesWhy: string;
  readonly minimumBranch: number;
  readonly lastBranch: number;
}

/** The newest driver branch that still has closed modules; the source is in `compatibility/gpu-devices.json`. */
export const lastClosedBranch: number = table.lastClosedBranch;

interface Range {
  readonly architecture: string;
  readonly first: string;
  readonly last: string;
  readonly minimumBranch?: number;
}
interface DriverRow {
  readonly architecture: string;
  readonly modules: readonly string[];
  readonly why: string;
  readonly minimumBranch?: number;
  readonly lastBranch?: number;
}
const ranges: readonly Range[] = table.ranges;
const drivers: readonly DriverRow[] = table.drivers;

/** Boards that are a slice of an L4 and want the GRID driver: g6f and gr6f (awslabs/amazon-eks-ami, nvidia-kmod-load.sh). */
const slices: ReadonlySet<string> = new Set(["27b8:1733", "27b8:1735", "27b8:1737"]);

/** Whether a GPU is a slice of a board, which berth has no driver for. */
export function isSlice(pci: PciFact): boolean {
  return slices.has(`${pci.device}:${pci.subsystemDevice}`);
}

/** What is known of a GPU by its PCI device number, four hexadecimal digits. */
export function gpuHardware(device: string): GpuHardware {
  const known = table.devices.find((row) => row.device === device);
  const range = ranges.find(({ first, last }) => first <= device && device <= last);
  const driver = drivers.find(({ architecture }) => architecture === range?.architecture);
  return {
    device,
    model: known?.model,
    architecture: range?.architecture ?? "unknown",
    computeCapability: known?.computeCapability,
    modules: driver === undefined ? ["open"] : driver.modules.filter(isFlavour),
    modulesWhy: driver?.why ?? "a GPU newer than the table is newer than closed modules",
    minimumBranch: Math.max(range?.minimumBranch ?? 0, driver?.minimumBranch ?? 0),
    lastBranch: driver?.lastBranch ?? Number.POSITIVE_INFINITY,
  };
}

function isFlavour(name: string): name is ModuleFlavour {
  return name === "open" || name === "closed";
}

/** The GPUs on the bus, by their numbers. */
export function gpusOnBus({ pci }: HostFacts): readonly GpuHardware[] {
  return pci.filter(isGpu).map(({ device }) => gpuHardware(device));
}

/**
 * Whether the GPUs reach each other through NVSwitch, so that CUDA fails with error 802 until the fabric manager runs. Where
 * the switches are not shown to the guest (HGX boards of Blackwell), more than one such GPU tells.
 */
export function hasNvSwitch(facts: HostFacts): boolean {
  const switches = new Set(table.nvSwitches.map(({ device }) => device));
  return facts.pci.some(({ device }) => switches.has(device)) || hasNvLink5(facts);
}

/**
 * Whether the switches are those of an HGX board of Blackwell: they are managed through InfiniBand's modules, by a subnet manager
 * beside the fabric manager (https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/, "NVLink Subnet Manager";
 * https://github.com/NVIDIA/gpu-operator/issues/2781).
 */
export function hasNvLink5({ pci }: HostFacts): boolean {
  // GB100, GB102 and GB110, the chips of HGX boards.
  return pci.filter((each) => isGpu(each) && /^(29|31)/.test(each.device)).length > 1;
}
