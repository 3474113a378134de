import { parseGpu, type GpuFact } from "./facts.ts";
import { clockFindings } from "./gpu-clocks.ts";
import { linkFindings, readLinks } from "./gpu-links.ts";

/** What CUDA itself said of one GPU. */
export interface DeviceReport {
  readonly index: number;
  readonly name: string;
  readonly computeCapability: string;
  readonly memoryMiB: number;
  readonly ecc: boolean;
  /** A kernel gave the right numbers. */
  readonly computes: boolean;
  /** Bytes read and written by a copy within the GPU's memory, GB/s; 0 when it was not measured. */
  readonly copyGBs: number;
  /** The same by clock and bus width, GB/s; 0 when the driver does not tell. */
  readonly nominalGBs: number;
  /** Other GPUs whose memory it reaches directly. */
  readonly peers: number;
}

/** What the verification of a host's GPUs found. */
export interface GpuReport {
  /** `real`: a kernel ran on every GPU; `emulated`: the GPUs are; `none`: there is no GPU. */
  readonly cuda: "real" | "emulated" | "none";
  readonly gpus: readonly GpuFact[];
  readonly devices: readonly DeviceReport[];
  /** What is not as it should be, and yet works. */
  readonly findings: readonly string[];
}

/** A copy that reaches less than this part of the memory's nominal speed is told. */
const slowCopy = 0.5;

function readDevice(text: string): DeviceReport {
  return JSON.parse(text) as DeviceReport;
}

function copyFindings(devices: readonly DeviceReport[]): string[] {
  return devices
    .filter(({ copyGBs, nominalGBs }) => copyGBs > 0 && copyGBs < nominalGBs * slowCopy)
    .map(
      ({ index, copyGBs, nominalGBs }) =>
        `GPU ${index} copies at ${copyGBs} GB/s, and its memory's nominal speed is ${nominalGBs} GB/s`,
    );
}

/** Reads `INDEX, UNCORRECTED_ECC, MAX_SM_MHZ, PCIE_GENERATION, PCIE_WIDTH`. */
function healthFindings(lines: readonly string[]): string[] {
  return lines.flatMap((line) => {
    const [index = "?", errors = ""] = line.split(",").map((part) => part.trim());
    const count = Number(errors);
    return count > 0
      ? [`GPU ${index} has ${count} uncorrected memory errors since the driver was loaded`]
      : [];
  });
}

/** A fatal error in the kernel's log, where CUDA computes all the same. */
function kernelFindings(lines: readonly string[]): string[] {
  return lines
    .filter((line) => line.includes("NVRM: Xid"))
    .map(
      (line) => `the driver reported an error that is fatal by NVIDIA's catalogue: ${line.trim()}`,
    );
}

/** Reads the output of `steps/verify.sh`. */
export function readGpuReport(lines: readonly string[]): GpuReport {
  const after = (word: string): string[] =>
    lines.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  const gpus = after("@gpu")
    .map(parseGpu)
    .filter((gpu) => gpu !== undefined);
  const devices = after("@device").map(readDevice);
  const told = after("@cuda")[0];
  const cuda = told === "real" || told === "emulated" ? told : "none";
  const findings = [
    ...healthFindings(after("@health")),
    ...clockFindings(after("@clocks")),
    ...linkFindings(readLinks(after("@nvlink"))),
    ...copyFindings(devices),
    ...kernelFindings(lines),
  ];
  if (cuda === "real" && devices.length !== gpus.length)
    findings.push(`nvidia-smi lists ${gpus.length} GPUs, and CUDA computes on ${devices.length}`);
  return { cuda, gpus, devices, findings };
}
