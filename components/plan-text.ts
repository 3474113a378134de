import type { Placement, Plan } from "./plan.ts";

function gib(mebibytes: number): string {
  return `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** US dollars with cents, and with hundredths of a cent below one dollar. */
export function usd(amount: number): string {
  return `$${amount.toFixed(amount < 1 ? 4 : 2)}`;
}

function gpus(placement: Placement): string {
  return `${placement.gpuCount} x ${placement.gpuModel}, ${gib(placement.gpuMemoryMiB)} each`;
}

function memoryLines({ demand, contextTokens, concurrency, precision }: Plan): string[] {
  const where = demand.tensorParallel === 1 ? "" : ` on each of ${demand.tensorParallel} GPUs`;
  return [
    `memory     ${gib(demand.totalMiB)}${where}: weights ${gib(demand.weightsMiB)} (${precision}), ` +
      `KV cache ${gib(demand.kvCacheMiB)} (${contextTokens} tokens x ${concurrency}), engine ${gib(demand.runtimeMiB)}`,
  ];
}

function priceLines(plan: Plan): string[] {
  const [chosen] = plan.ladder;
  const most = chosen.purchase === "spot" ? "at most " : "";
  return [
    `price      ${most}${usd(plan.hourlyUsd)} an hour, with a volume of ${plan.rootVolumeGiB} GiB ` +
      `(${chosen.purchase}, ${chosen.region}; ${chosen.priceSource}, ${chosen.priceAsOf})`,
  ];
}

function leaseLine({ leaseHours, leaseUsd }: Plan): string {
  if (leaseHours === undefined || leaseUsd === undefined) {
    return "ends       never by itself: it runs and costs until somebody takes it down";
  }
  return `ends       ${leaseHours} h after it begins, and costs at most ${usd(leaseUsd)} until then`;
}

function ladderLine({ ladder }: Plan): string[] {
  const others = ladder.slice(1);
  if (others.length === 0) return [];
  const names = others.map(({ instanceType, hourlyUsd }) => `${instanceType} (${usd(hourlyUsd)})`);
  return [`otherwise  ${names.join(", ")}, in this order, when capacity lacks`];
}

const rejectedShown = 6;

function rejectedLines({ rejected }: Plan): string[] {
  if (rejected.length === 0) return [];
  const shown = rejected.slice(-rejectedShown);
  const more = rejected.length - shown.length;
  const lines = shown.map(
    ({ instanceType, hourlyUsd = 0, reason }) =>
      `           ${instanceType} (${usd(hourlyUsd)}): ${reason}`,
  );
  const rest = more === 0 ? [] : [`           and ${more} cheaper still; --json has them all`];
  return ["cheaper, and not taken:", ...lines, ...rest];
}

/** A plan as a person reads it: what, why this type, what it costs, when it ends. One entry a line. */
export function planLines(plan: Plan): readonly string[] {
  const [chosen] = plan.ladder;
  const room = chosen.comfortable ? "with room to spare" : "just";
  const licence = `${plan.licence}${plan.gated ? `, gated: accept it with --accept-licence ${plan.licence}` : ""}`;
  return [
    `model      ${plan.modelId} (${plan.weightsGiB.toFixed(1)} GiB of weights; licence ${licence})`,
    ...memoryLines(plan),
    `type       ${chosen.instanceType}: ${gpus(chosen)}; the cheapest that holds it ${room}`,
    ...ladderLine(plan),
    ...priceLines(plan),
    leaseLine(plan),
    `engine     ${plan.engine}; catalogue of ${plan.catalogueVersion}`,
    ...rejectedLines(plan),
  ];
}
