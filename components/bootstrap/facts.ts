/** One GPU as nvidia-smi tells it. */
export interface GpuFact {
  readonly index: number;
  readonly name: string;
  readonly uuid: string;
  readonly memoryMiB: number;
  readonly driverVersion: string;
}

/** One NVIDIA function on the PCI bus; numbers are four or six hexadecimal digits, lower case. */
export interface PciFact {
  readonly address: string;
  readonly device: string;
  readonly class: string;
  readonly subsystemDevice: string;
  /** The kernel driver that holds it; "" for none. */
  readonly driver: string;
}

/** One disk that comes with the instance and goes with it. */
export interface InstanceStoreFact {
  readonly path: string;
  readonly bytes: number;
  /** It has a file system, a partition, or is part of an array. */
  readonly used: boolean;
}

/** A file system of the instance's own disks that the image has made. */
export interface ImageStorageFact {
  /** Where it is mounted. */
  readonly path: string;
  readonly freeMiB: number;
}

/** What is known of a host before anything is done to it. */
export interface HostFacts {
  readonly os: string;
  readonly osVersion: string;
  readonly platform: string;
  readonly architecture: string;
  readonly kernel: string;
  /** Major version of the gcc that built the kernel; 0 when it is not told. */
  readonly kernelGcc: number;
  readonly bootId: string;
  readonly user: string;
  /** Logged in as root, or able to become root without a password. */
  readonly privileged: boolean;
  readonly systemd: boolean;
  readonly cloudInit: boolean;
  /** The host stands in for a GPU machine: what it says of GPUs is not real. */
  readonly emulated: boolean;
  /** The folder that stands for the machine; "" on a whole one. Its packages are those of the machine that it is on. */
  readonly folder: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  /** Free on the file system of the data folder, MiB. */
  readonly freeMiB: number;
  /** Free on the root file system, where packages go, MiB. */
  readonly rootFreeMiB: number;
  /** NVIDIA display devices on the PCI bus. */
  readonly pciGpus: number;
  /** All of NVIDIA's functions there, bridges of NVSwitch among them. */
  readonly pci: readonly PciFact[];
  readonly moduleLoaded: boolean;
  /** "" when no module is loaded. */
  readonly moduleVersion: string;
  /** nouveau or nova_core is loaded, which hold a GPU that NVIDIA's module wants. */
  readonly foreignModule: string;
  readonly secureBoot: boolean;
  /** Headers of the running kernel are there. */
  readonly kernelHeaders: boolean;
  /** dpkg was cut off in the middle of its work. */
  readonly dpkgInterrupted: boolean;
  /** Exit status of nvidia-smi, or that there is none. */
  readonly nvidiaSmi: number | "absent";
  /** What nvidia-smi said when it failed. */
  readonly nvidiaSmiSays: string;
  readonly gpus: readonly GpuFact[];
  readonly instanceStores: readonly InstanceStoreFact[];
  /** The image's own file system of these disks; undefined where it made none. */
  readonly imageStorage: ImageStorageFact | undefined;
  /** Something is mounted on the folder of weights. */
  readonly weightsMounted: boolean;
  /** Python 3's version, such as "3.12.3"; "" when there is none. */
  readonly python: string;
  /** Python can make virtual environments. */
  readonly pythonVenv: boolean;
  /** The headers of that Python are there, which C is compiled against. */
  readonly pythonHeaders: boolean;
  /** There is a C compiler, gcc or clang. */
  readonly compiler: boolean;
  /** Of the host's own environment, such as "2.9.1+cu130"; "" when there is none. */
  readonly torch: string;
  /** Releases of vLLM that are installed in full. */
  readonly vllm: readonly string[];
  readonly docker: boolean;
  /** NVIDIA's container toolkit is installed. */
  readonly containerToolkit: boolean;
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

/** Reads `ADDRESS DEVICE CLASS SUBSYSTEM_DEVICE DRIVER|-`. */
function parsePci(line: string): PciFact | undefined {
  const [address, device, pciClass, subsystemDevice = "", driver = "-"] = line.split(" ");
  if (address === undefined || !/^[0-9a-f]{4}$/.test(device ?? "") || pciClass === undefined)
    return undefined;
  return {
    address,
    device: device ?? "",
    class: pciClass,
    subsystemDevice,
    driver: driver === "-" ? "" : driver,
  };
}

/** Reads `PATH BYTES used|free`. */
function parseInstanceStore(line: string): InstanceStoreFact | undefined {
  const [path, bytes, state] = line.split(" ");
  if (path === undefined || !/^\d+$/.test(bytes ?? "")) return undefined;
  return { path, bytes: Number(bytes), used: state !== "free" };
}

/** Reads `PATH FREE_MIB`. */
function parseImageStorage(line: string): ImageStorageFact | undefined {
  const [path, free] = line.split(" ");
  if (path === undefined || !/^\d+$/.test(free ?? "")) return undefined;
  return { path, freeMiB: Number(free) };
}

/** Whether a PCI function is a GPU: a display controller. */
export function isGpu(pci: PciFact): boolean {
  return pci.class.startsWith("03");
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
  const many = <T>(key: string, parse: (line: string) => T | undefined): T[] =>
    pairs
      .flatMap(([name, value]) => (name === key ? [parse(value)] : []))
      .filter((fact) => fact !== undefined);
  const smi = get("nvidia_smi");
  const freeMiB = Number(get("free_mib"));
  const pci = many("pci", parsePci);
  return {
    os: get("os"),
    osVersion: get("os_version"),
    platform: get("platform"),
    architecture: get("architecture"),
    kernel: get("kernel"),
    kernelGcc: Number(get("kernel_gcc")),
    bootId: get("boot_id"),
    user: get("user"),
    privileged: yes("root") || yes("sudo"),
    systemd: yes("systemd"),
    cloudInit: yes("cloud_init"),
    emulated: yes("emulated"),
    folder: get("berth_root"),
    cpus: Number(get("cpus")),
    memoryMiB: Number(get("memory_mib")),
    freeMiB,
    rootFreeMiB: facts.has("root_free_mib") ? Number(get("root_free_mib")) : freeMiB,
    pciGpus: pci.filter(isGpu).length,
    pci,
    moduleLoaded: get("module") === "loaded",
    moduleVersion: get("module_version"),
    foreignModule: get("foreign_module"),
    secureBoot: yes("secure_boot"),
    kernelHeaders: yes("kernel_headers"),
    dpkgInterrupted: yes("dpkg_interrupted"),
    nvidiaSmi: /^\d+$/.test(smi) ? Number(smi) : "absent",
    nvidiaSmiSays: get("nvidia_smi_says"),
    gpus: many("gpu", parseGpu),
    instanceStores: many("instance_store", parseInstanceStore),
    imageStorage: many("image_storage", parseImageStorage)[0],
    weightsMounted: yes("weights_mounted"),
    python: get("python"),
    pythonVenv: yes("python_venv"),
    pythonHeaders: yes("python_headers"),
    compiler: yes("compiler"),
    torch: get("torch"),
    vllm: many("vllm", (version) => version),
    docker: yes("docker"),
    containerToolkit: yes("container_toolkit"),
  };
}
