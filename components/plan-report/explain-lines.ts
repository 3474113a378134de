import { dollars, gib, rangeText, timeText } from "../plan-figures.ts";
import { partName } from "../plan-text.ts";
import {
  bandwidthShare,
  layerOverheadMs,
  pcieLayerMs,
  prefillShare,
  trainingShare,
} from "../throughput/efficiency.ts";
import { deliveryFiguresAsOf, type WeightsDelivery } from "../pricing/weights-delivery.ts";
import type { Range } from "../range.ts";
import { stepLines } from "./layout-lines.ts";
import type { PlanReport, Rung, TrainingAsked } from "./report.ts";

function memory({ demand, gpuMemoryMiB }: Rung): string[] {
  const rows = demand.parts.map(
    ({ name, mib, lowMiB, highMiB, why }) =>
      `  ${partName(name, demand).padEnd(15)} ${gib(mib).padStart(10)}  (${(lowMiB / 1024).toFixed(1)} to ${(highMiB / 1024).toFixed(1)})  ${why}`,
  );
  const limit = gpuMemoryMiB * demand.utilisation;
  const { tensorParallel, contextParallel = 1, pipelineParallel, dataParallel } = demand;
  const context = contextParallel === 1 ? "" : `, ${contextParallel} x context`;
  return [
    `memory of each GPU, split ${tensorParallel} x tensor${context}, ${pipelineParallel} x pipeline, ${dataParallel} x data:`,
    ...rows,
    `  ${"in all".padEnd(15)} ${gib(demand.totalMiB).padStart(10)}  of ${gib(limit)}: ${gib(gpuMemoryMiB)} that nvidia-smi reports x ${demand.utilisation}`,
    `  ${"to start".padEnd(15)} ${gib(demand.startMiB).padStart(10)}`,
  ];
}

function percent({ low, high }: Range): string {
  return `${Math.round(low * 100)} to ${Math.round(high * 100)} %`;
}

function trainingSpeed({ method, imageSize }: TrainingAsked, rung: Rung): string[] {
  if (imageSize !== undefined) return [];
  const { nvlink, gpuCount, layout } = rung;
  const share = layout?.step?.share ?? trainingShare[method as keyof typeof trainingShare];
  const scores = layout?.step === undefined ? "" : ", and those of attention's scores";
  const again = layout?.gradientCheckpointing === true ? ", and 2 for checkpointing" : "";
  return [
    "time = tokens x operations a token / (GPUs x dense peak x share):",
    `  share of the peak ${percent(share)}${nvlink || gpuCount === 1 ? "" : ", less over PCIe"}`,
    `  operations a token: ${method === "full" ? "6" : "4"} for each parameter${again}${scores}`,
    ...stepLines(rung),
  ];
}

function speed({ task, trainingAsked }: PlanReport, rung: Rung): string[] {
  const { nvlink, gpuCount } = rung;
  if (task !== "serve" && trainingAsked !== undefined) return trainingSpeed(trainingAsked, rung);
  const crossing = `, and ${pcieLayerMs.low} to ${pcieLayerMs.high} ms over PCIe`;
  return [
    "a step = the longer of (weights + cache) / (bandwidth x share) and operations / (peak x share), and each layer's own time:",
    `  share of the bandwidth ${percent(bandwidthShare)}, of the peak ${percent(prefillShare)}`,
    `  ${layerOverheadMs.low} to ${layerOverheadMs.high} ms a layer${nvlink || gpuCount === 1 ? "" : crossing}`,
  ];
}

function money(
  { monthlyHours, leaseHours, ranking, task }: PlanReport,
  { hourly, monthlyUsd }: Rung,
): string[] {
  const lease = leaseHours === undefined ? [] : [`  lease: ${hourly.totalUsd} x ${leaseHours} h`];
  return [
    `ladder by the price of ${ranking.by === "job" ? "the job" : "an hour"}; ties go by ${ranking.tieBreak}`,
    `price an hour = ${hourly.instanceUsd} + ${hourly.volumeUsd} + ${hourly.publicIpv4Usd} = ${hourly.totalUsd} USD`,
    ...(task === "serve"
      ? [`  a month: ${hourly.totalUsd} x ${monthlyHours} h = ${monthlyUsd} USD`]
      : []),
    ...lease,
  ];
}

const deliveryNames: Readonly<Record<WeightsDelivery["way"], string>> = {
  "s3-instance-store": "S3 to its NVMe disks",
  "s3-volume": "S3 to its volume",
  "snapshot-at-a-rate": "snapshot, at a rate",
  "fast-snapshot-restore": "fast snapshot restore",
  "fsx-lustre": "FSx for Lustre",
};

function delivery({ weightsGiB, weightsDelivery }: PlanReport): string[] {
  const rows = weightsDelivery.map(({ way, seconds, keepMonthlyUsd, why }) => {
    const keep =
      keepMonthlyUsd === undefined ? "no price known" : `${dollars(keepMonthlyUsd)} a month`;
    return `  ${deliveryNames[way].padEnd(22)} ${rangeText(seconds, timeText).padEnd(20)} ${keep.padEnd(18)} ${why}`;
  });
  const head = `ways for ${weightsGiB.toFixed(1)} GiB of weights to a host, the first is taken; prices beside the copy in S3 (us-east-1, ${deliveryFiguresAsOf}):`;
  return rows.length === 0 ? [] : [head, ...rows];
}

function others({ otherRules }: PlanReport): string[] {
  const [first] = otherRules;
  if (first === undefined) return [];
  const rows = otherRules.map(
    (each) => `  ${each.rule.padEnd(15)} ${gib(each.gib * 1024).padStart(10)}  ${each.why}`,
  );
  const ours = `  ${"this plan".padEnd(15)} ${gib(first.oursGiB * 1024).padStart(10)}`;
  return ["what other rules say of all GPUs together:", ours, ...rows];
}

/** The arithmetic behind the first rung, and the other ways for its weights. */
export function explainLines(report: PlanReport): readonly string[] {
  const [chosen] = report.ladder;
  if (chosen === undefined) return [];
  return [
    "",
    ...memory(chosen),
    ...others(report),
    ...speed(report, chosen),
    ...money(report, chosen),
    ...delivery(report),
  ];
}
