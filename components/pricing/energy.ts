import type { Range } from "../range.ts";
import { times } from "../range.ts";
import { regionPrices } from "./region-prices.ts";

/**
 * Board power of a GPU, watts: github.com/huggingface/huggingface.js packages/tasks/src/hardware-nvidia.ts, read 2026-11,
 * the RTX PRO 6000 as its Workstation Edition there. A10G and RTX PRO 4500 as public notes on g5 and g7 give them.
 */
const boardWatts: Readonly<Record<string, number>> = {
  T4: 70,
  "V100-SXM2-16GB": 300,
  "V100-SXM2-32GB": 300,
  "A100-SXM4-40GB": 400,
  "A100-SXM4-80GB": 400,
  A10G: 300,
  L4: 72,
  L40S: 350,
  "H100-SXM5-80GB": 700,
  "H200-SXM-141GB": 700,
  B200: 1000,
  B300: 1400,
  "RTX PRO 6000 Blackwell Server Edition": 600,
  "RTX PRO 4500 Blackwell Server Edition": 165,
};

/** Average of a GPU's power over its board power while it serves or trains; an assumption, wide on purpose. */
const loadShare: Range = { low: 0.4, high: 1 };

/** Power of an AWS data centre over that of its machines: 1.14 in 2025 (https://sustainability.aboutamazon.com). */
const powerUsageEffectiveness = 1.14;

/** Electricity and carbon of an hour, of the GPUs and their share of cooling; the rest of the host is not counted. */
export interface Energy {
  readonly kwhAnHour: Range;
  /** Carbon dioxide by the grid of the region, grams. */
  readonly gramsAnHour: Range;
  readonly gridGramsPerKwh: number;
  readonly gridSource: string;
}

/**
 * Energy of an hour; undefined where the board power is not known.
 *
 * @throws UserError when the region is not known
 */
export function energyOf(gpuModel: string, gpuCount: number, region: string): Energy | undefined {
  const watts = Object.hasOwn(boardWatts, gpuModel) ? boardWatts[gpuModel] : undefined;
  if (watts === undefined) return undefined;
  const { gridGramsPerKwh, gridSource } = regionPrices(region);
  const kwhAnHour = times(loadShare, (watts / 1000) * gpuCount * powerUsageEffectiveness);
  return { kwhAnHour, gramsAnHour: times(kwhAnHour, gridGramsPerKwh), gridGramsPerKwh, gridSource };
}
