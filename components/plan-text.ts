import type { Plan, Placement } from "./plan.ts";
import { gib, usd } from "./plan-figures.ts";
import { groupedReasons } from "./plan-report/grouped-reasons.ts";
import { gpusOf, type MemoryDemand, type MemoryPart } from "./sizing/memory-part.ts";

export { usd } from "./plan-figures.ts";

function gpus(placement: Placement): string {
  const zones = placement.zones.length === 0 ? "" : `, in ${placement.zones.join(", then ")}`;
  const { nodes, gpuCount, gpuModel, gpuMemoryMiB } = placement;
  const host = nodes === undefined ? "" : "on each host ";
  return `${host}${gpuCount} x ${gpuModel}, ${gib(gpuMemoryMiB)} each${zones}`;
}

const partNames: Readonly<Record<MemoryPart["name"], string>> = {
  weights: "weights",
  "kv-cache": "KV cache",
  activations: "activations",
  logits: "logits",
  gradients: "gradients",
  optimizer: "optimiser",
  adapters: "adapters",
  "image-decode": "image decoding",
  "cuda-graphs": "CUDA graphs",
  communication: "communication",
  fragmentation: "fragmentation",
  runtime: "engine",
  libraries: "libraries",
};

/** The name of a part as people say it; a training has no engine. */
export function partName(
  name: MemoryPart["name"],
  { wholeRange }: Pick<MemoryDemand, "wholeRange">,
): string {
  return name === "runtime" && wholeRange ? "CUDA context" : partNames[name];
}

/** "on each of 4 GPUs", or nothing for one. */
export function eachGpu(demand: MemoryDemand): string {
  const count = gpusOf(demand);
  return count === 1 ? "" : ` on each of ${count} GPUs`;
}

/** Parts of one name together, largest first, without what rounds to nothing. */
export function mergedParts({ parts }: MemoryDemand): readonly MemoryPart[] {
  const byName = Map.groupBy(parts, ({ name }) => name);
  const merged = [...byName.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const sum = (of: (part: MemoryPart) => number) =>
      same.reduce((total, part) => total + of(part), 0);
    const why = same.map((part) => part.why).join("; ");
    const mib = sum((part) => part.mib);
    return [
      {
        ...first,
        mib,
        lowMiB: sum((part) => part.lowMiB),
        highMiB: sum((part) => part.highMiB),
        why,
      },
    ];
  });
  return merged.filter(({ highMiB }) => highMiB >= 51).toSorted((a, b) => b.mib - a.mib);
}

/** What a GPU has to hold, in one line. */
export function memoryLine(demand: MemoryDemand, precision: string): string {
  const shown = mergedParts(demand).filter(({ mib }) => gib(mib) !== gib(0));
  const parts = shown.map(({ name, mib }) =>
    name === "weights"
      ? `weights ${gib(mib)} (${precision})`
      : `${partName(name, demand)} ${gib(mib)}`,
  );
  const range = `${(demand.lowMiB / 1024).toFixed(1)} to ${(demand.highMiB / 1024).toFixed(1)}`;
  return `memory     ${gib(demand.totalMiB)}${eachGpu(demand)} (${range}): ${parts.join(", ")}`;
}

function priceLine(plan: Plan): string {
  const [chosen] = plan.ladder;
  const most = chosen.purchase === "spot" ? "at most " : "";
  return (
    `price      ${most}${usd(plan.hourlyUsd)} an hour, with a volume of ${plan.rootVolumeGiB} GiB and a public address${(plan.hosts ?? 1) > 1 ? " for each host" : ""} ` +
    `(${chosen.purchase}, ${chosen.region}; ${chosen.priceSource}, ${chosen.priceAsOf})`
  );
}

/** When it ends, and what it costs until then. */
export function leaseLine({
  leaseHours,
  leaseUsd,
  leaseMostUsd = leaseUsd,
}: Pick<Plan, "leaseHours" | "leaseUsd" | "leaseMostUsd">): string {
  if (leaseHours === undefined || leaseUsd === undefined) {
    return "ends       never by itself: it runs and costs until somebody takes it down";
  }
  const dearest =
    leaseMostUsd === undefined || leaseMostUsd <= leaseUsd
      ? ""
      : `, or ${usd(leaseMostUsd)} on the dearest rung of the ladder`;
  return `ends       ${leaseHours} h after it begins, and costs at most ${usd(leaseUsd)} until then${dearest}`;
}

/** How many of it, where there are several. */
function hostsLine({ hosts = 1, hourlyUsd }: Plan): string[] {
  if (hosts === 1) return [];
  return [
    `hosts      ${hosts} of it in one zone, all or none, each with the whole model at ${usd(hourlyUsd / hosts)} an hour`,
  ];
}

function ladderLine({ ladder }: Plan): string[] {
  const others = ladder.slice(1);
  if (others.length === 0) return [];
  const mixed = new Set(ladder.map(({ purchase }) => purchase)).size > 1;
  const names = others.map(({ instanceType, purchase, hourlyUsd }) => {
    return `${instanceType} (${mixed ? `${purchase} ` : ""}${usd(hourlyUsd)})`;
  });
  return [`otherwise  ${names.join(", ")}, in this order, when capacity lacks`];
}

function rejectedLines({ rejected }: Plan): string[] {
  if (rejected.length === 0) return [];
  return [
    "cheaper, and not taken:",
    ...groupedReasons(rejected).map((line) => `           ${line}`),
  ];
}

/** The model with its licence, in one line. */
export function modelLine(
  plan: Pick<Plan, "modelId" | "weightsGiB" | "licence" | "gated">,
): string {
  const { licence, gated } = plan;
  const accept = gated ? `, gated: accept it with --accept-licence ${licence}` : "";
  return `model      ${plan.modelId} (${plan.weightsGiB.toFixed(1)} GiB of weights; licence ${licence}${accept})`;
}

/** The type with its GPUs, in one line. */
export function typeLine(chosen: Placement, by: "hour" | "job" = "hour"): string {
  const room = chosen.comfortable ? "with room to spare" : "just";
  const cheapest = by === "job" ? "the cheapest for the job" : "the cheapest";
  const hosts = chosen.nodes === undefined ? "" : `${chosen.nodes} x `;
  return `type       ${hosts}${chosen.instanceType}: ${gpus(chosen)}; ${cheapest} that holds it ${room}`;
}

/** A plan as a person reads it: what, why this type, what it costs, when it ends. One entry a line. */
export function planLines(plan: Plan): readonly string[] {
  return [
    modelLine(plan),
    memoryLine(plan.demand, plan.precision),
    typeLine(plan.ladder[0]),
    ...hostsLine(plan),
    ...ladderLine(plan),
    priceLine(plan),
    leaseLine(plan),
    `engine     ${plan.engine}; catalogue of ${plan.catalogueVersion}`,
    ...rejectedLines(plan),
  ];
}
