import {
  EC2Client,
  paginateDescribeInstanceTypes,
  type InstanceTypeInfo,
} from "@aws-sdk/client-ec2";
import type { InstanceType } from "../../components/catalogue/instance-type.ts";
import type { ClientSettings } from "./receipt.ts";

function family(instanceType: string): string {
  return instanceType.split(".")[0] ?? instanceType;
}

/** Baseline and peak of all network cards together. */
function networkOf({ NetworkInfo }: InstanceTypeInfo): Partial<InstanceType> {
  const cards = NetworkInfo?.NetworkCards ?? [];
  const sum = (each: (card: (typeof cards)[number]) => number | undefined): number =>
    cards.reduce((total, card) => total + (each(card) ?? 0), 0);
  const baseline = sum((card) => card.BaselineBandwidthInGbps);
  const peak = sum((card) => card.PeakBandwidthInGbps);
  return {
    ...(baseline > 0 ? { networkGbps: baseline } : {}),
    ...(peak > 0 ? { networkGbpsPeak: peak } : {}),
    ...(NetworkInfo?.EfaSupported === undefined ? {} : { efa: NetworkInfo.EfaSupported }),
  };
}

function hostOf({ ProcessorInfo, InstanceStorageInfo, CurrentGeneration }: InstanceTypeInfo) {
  const arm = ProcessorInfo?.SupportedArchitectures?.includes("arm64") === true;
  const localNvmeGB = InstanceStorageInfo?.TotalSizeInGB;
  return {
    cpuArchitecture: arm ? ("arm64" as const) : ("x86_64" as const),
    ...(localNvmeGB === undefined ? {} : { localNvmeGB }),
    ...(CurrentGeneration === undefined ? {} : { currentGeneration: CurrentGeneration }),
  };
}

function gpusOf({ GpuInfo }: InstanceTypeInfo) {
  const [gpu] = GpuInfo?.Gpus ?? [];
  // EC2 says 0 GPUs of some types (https://github.com/skypilot-org/skypilot/issues/6722); such an answer is of no use.
  if (gpu?.Manufacturer !== "NVIDIA" || gpu.Count === undefined || gpu.Count <= 0) return undefined;
  const size = gpu.MemoryInfo?.SizeInMiB;
  return { gpuCount: gpu.Count, ...(size === undefined ? {} : { gpuMemoryMiBApi: size }) };
}

/**
 * EC2's description as a row of the catalogue; undefined for what has no NVIDIA GPU or cannot be read.
 *
 * @param gpuModels GPU of each family that the catalogue knows; EC2's own names ("H100") do not tell boards apart
 */
export function instanceTypeOf(
  info: InstanceTypeInfo,
  gpuModels: ReadonlyMap<string, string>,
): InstanceType | undefined {
  const { InstanceType: instanceType, VCpuInfo, MemoryInfo } = info;
  const gpus = gpusOf(info);
  if (instanceType === undefined || gpus === undefined) return undefined;
  const gpuModel = gpuModels.get(family(instanceType));
  const [vcpus, memoryMiB] = [VCpuInfo?.DefaultVCpus, MemoryInfo?.SizeInMiB];
  if (gpuModel === undefined || vcpus === undefined || memoryMiB === undefined) return undefined;
  return {
    instanceType,
    gpuModel,
    ...gpus,
    vcpus,
    memoryGiB: memoryMiB / 1024,
    ...hostOf(info),
    ...networkOf(info),
    source: "EC2 DescribeInstanceTypes",
  };
}

/** Descriptions of a region's types of those families. Needs `ec2:DescribeInstanceTypes`. */
export async function describeTypes(
  settings: ClientSettings,
  families: readonly string[],
): Promise<readonly InstanceTypeInfo[]> {
  const client = new EC2Client(settings);
  const found: InstanceTypeInfo[] = [];
  const Filters = [{ Name: "instance-type", Values: families.map((name) => `${name}.*`) }];
  try {
    for await (const page of paginateDescribeInstanceTypes(
      { client },
      { Filters, MaxResults: 100 },
    )) {
      found.push(...(page.InstanceTypes ?? []));
    }
  } finally {
    client.destroy();
  }
  return found;
}
