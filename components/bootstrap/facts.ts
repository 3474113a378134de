/** One GPU as nvidia-smi tells it. */
export interface GpuFact {
  readonly index: number;
  readonly name: string;
  readonly uuid: string;
  readonly memoryMiB: number;
  readonly driverVersion: string;
}

/** What is known of a host before anything is done to it. */
export interface HostFacts {
  readonly os: string;
  readonly osVersion: string;
  readonly platform: string;
  readonly architecture: string;
  readonly kernel: string;
  readonly bootId: string;
  readonly user: string;
  /** Logged in as root, or able to become root without a password. */
  readonly privileged: boolean;
  readonly systemd: boolean;
  readonly cloudInit: boolean;
  /** The host stands in for a GPU machine: what it says of GPUs is not real. */
  readonly emulated: boolean;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Free on the file system of the data folder, MiB. */
  readonly freeMiB: number;
  /** NVIDIA display devices on the PCI bus. */
  readonly pciGpus: number;
  readonly moduleLoaded: boolean;
  /** "" when no module is loaded. */
  readonly moduleVersion: string;
  /** Exit status of nvidia-smi, or that there is none. */
  readonly nvidiaSmi: number | "absent";
  /** What nvidia-smi said when it failed. */
  readonly nvidiaSmiSays: string;
  readonly gpus: readonly GpuFact[];
}

/** Reads a line `INDEX, NAME, UUID, MEMORY_MIB, DRIVER`; undefined for anything else. */
export function parseGpu(line: string): GpuFact | undefined {
  const [index, name, uuid, memory, driverVersion] = line.split(",").map((part) => part.trim());
  if (index === undefined || !/^\d+$/.test(index) || name === undefined || uuid === undefined)
    return undefined;
  const memoryMiB = Number.parseInt(memory ?? "", 10);
  if (Number.isNaN(memoryMiB) || driverVersion === undefined) return undefined;
  return { index: Number(index), name, uuid, memoryMiB, driverVersion };
}

/** Reads the output of `steps/facts.sh`; what is missing counts as absent. */
export function parseFacts(text: string): HostFacts {
  const pairs = text.split("\n").flatMap((line): [string, string][] => {
    const at = line.indexOf("=");
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1).trim()]] : [];
  });
  const facts = new Map(pairs);
  const get = (key: string): string => facts.get(key) ?? "";
  const yes = (key: string): boolean => get(key) === "yes";
  const smi = get("nvidia_smi");
  return {
    os: get("os"),
    osVersion: get("os_version"),
    platform: get("platform"),
    architecture: get("architecture"),
    kernel: get("kernel"),
    bootId: get("boot_id"),
    user: get("user"),
    privileged: yes("root") || yes("sudo"),
    systemd: yes("systemd"),
    cloudInit: yes("cloud_init"),
    emulated: yes("emulated"),
    cpus: Number(get("cpus")),
    memoryMiB: Number(get("memory_mib")),
    freeMiB: Number(get("free_mib")),
    pciGpus: Number(get("pci_gpus")),
    moduleLoaded: get("module") === "loaded",
    moduleVersion: get("module_version"),
    nvidiaSmi: /^\d+$/.test(smi) ? Number(smi) : "absent",
    nvidiaSmiSays: get("nvidia_smi_says"),
    gpus: pairs
      .flatMap(([key, value]) => (key === "gpu" ? [parseGpu(value)] : []))
      .filter((gpu) => gpu !== undefined),
  };
}
