import type { InstanceType } from "../catalogue/instance-type.ts";
import { counted } from "../counted.ts";
import type { Purchase, RejectionKind } from "../plan.ts";
import type { NodeRange } from "./parallel/weigh-hosts.ts";
import { familyNames, type QuotaVcpus } from "./plan-request.ts";

/** What a placement has to satisfy besides holding the model. */
export interface PlacementWishes {
  /** In the order of preference. */
  readonly regions: readonly string[];
  readonly zones: readonly string[];
  /** In the order in which they are tried. */
  readonly purchases: readonly Purchase[];
  /** Most that the instance may cost in an hour on spot, USD; undefined is its on-demand price. */
  readonly spotMaxHourlyUsd?: number | undefined;
  /** Only these types; undefined allows all. */
  readonly instanceTypes?: readonly string[] | undefined;
  /** Hosts that a training may be laid out over. @default one */
  readonly nodes?: NodeRange | undefined;
  /** Only types with so many GPUs; undefined allows any. */
  readonly gpuCount?: number | undefined;
  readonly gpuFamilies?: readonly string[] | undefined;
  readonly cpuArchitecture?: string | undefined;
  readonly interconnect?: string | undefined;
  /** All of an hour, USD. */
  readonly maxHourlyUsd?: number | undefined;
  readonly quotaVcpus?: QuotaVcpus | undefined;
  /** Whether SageMaker has the type at a known price in that region; undefined does not ask. */
  readonly hasEndpoint?: ((instanceType: string, region: string) => boolean) | undefined;
}

/** Why a type is out. */
export interface Refusal {
  readonly kind: RejectionKind;
  readonly reason: string;
}

/** Gone from DescribeInstanceTypes though still priced: nothing can be launched. */
const retired = new Set(["p3.2xlarge", "p3.8xlarge", "p3.16xlarge"]);

type Check = (type: InstanceType, wishes: PlacementWishes, region: string) => string | undefined;

/** Why so many hosts of the type are above the account's quota; undefined when they are not, or it is not known. */
export function quotaReason(
  { instanceType, vcpus }: InstanceType,
  wishes: PlacementWishes,
  nodes = 1,
): string | undefined {
  const letter = instanceType.startsWith("p") ? "p" : "g";
  const quota = wishes.quotaVcpus?.[letter];
  const needed = vcpus * nodes;
  if (quota === undefined || needed <= quota) return undefined;
  return `needs ${needed} vCPUs, and the quota for ${letter.toUpperCase()} types is ${quota}`;
}

function priceReason(
  type: InstanceType,
  { purchases }: PlacementWishes,
  region: string,
): string | undefined {
  if (purchases.includes("capacity-block")) {
    return type.capacityBlocks?.[region] === undefined
      ? `no price of a Capacity Block is known in ${region}`
      : undefined;
  }
  if (type.prices?.[region] !== undefined) return undefined;
  if (Object.keys(type.prices ?? {}).length > 0) return `no on-demand price in ${region}`;
  // SageMaker's types have no Capacity Blocks, though the EC2 types under them may be sold in no other way.
  return Object.keys(type.capacityBlocks ?? {}).length > 0
    ? "no on-demand price anywhere: sold as Capacity Blocks (--market capacity-block)"
    : "no price is known in any region";
}

function interconnectReason(type: InstanceType, { interconnect = "any" }: PlacementWishes) {
  if (interconnect === "nvlink" && type.nvlink !== true && type.gpuCount > 1) {
    return "its GPUs are joined by PCIe, and NVLink was asked for";
  }
  return interconnect === "efa" && type.efa !== true ? "no Elastic Fabric Adapter" : undefined;
}

/** In this order; the first one that finds something decides. */
const checks: readonly (readonly [RejectionKind, Check])[] = [
  [
    "not-asked",
    ({ instanceType }, { instanceTypes }) =>
      instanceTypes === undefined || instanceTypes.includes(instanceType)
        ? undefined
        : "not among the types that were asked for",
  ],
  [
    "not-asked",
    ({ instanceType, gpuModel }, { gpuFamilies }) => {
      if (gpuFamilies === undefined) return undefined;
      const names = familyNames(instanceType, gpuModel);
      return gpuFamilies.some((name) => names.has(name.toLowerCase()))
        ? undefined
        : "not of the GPU families that were asked for";
    },
  ],
  [
    "not-asked",
    ({ cpuArchitecture }, wishes) =>
      wishes.cpuArchitecture === undefined || wishes.cpuArchitecture === cpuArchitecture
        ? undefined
        : `${cpuArchitecture}, and ${wishes.cpuArchitecture} was asked for`,
  ],
  [
    "not-launchable",
    ({ instanceType }) =>
      retired.has(instanceType) ? "retired: it can no longer be launched" : undefined,
  ],
  [
    "not-launchable",
    ({ gpuCount }) =>
      gpuCount < 1 ? "a slice of a GPU, which needs NVIDIA's licensed GRID driver" : undefined,
  ],
  [
    "not-launchable",
    ({ cpuArchitecture }) =>
      cpuArchitecture === "arm64"
        ? "an Arm host, for which there is no machine image yet"
        : undefined,
  ],
  [
    "not-asked",
    ({ instanceType }, { hasEndpoint }, region) =>
      hasEndpoint === undefined || hasEndpoint(instanceType, region)
        ? undefined
        : `no SageMaker endpoint type with a known price in ${region}`,
  ],
  ["no-price", priceReason],
  [
    "not-asked",
    ({ gpuCount }, wishes) =>
      wishes.gpuCount === undefined || wishes.gpuCount === gpuCount
        ? undefined
        : `${counted(gpuCount, "GPU")}, and ${wishes.gpuCount} asked for`,
  ],
  ["interconnect", interconnectReason],
  ["quota", (type, wishes) => quotaReason(type, wishes)],
];

/** Why the type is out before memory is looked at; undefined when it is not. */
export function refusal(
  type: InstanceType,
  wishes: PlacementWishes,
  region: string,
): Refusal | undefined {
  for (const [kind, check] of checks) {
    const reason = check(type, wishes, region);
    if (reason !== undefined) return { kind, reason };
  }
  return undefined;
}
