import type { Range } from "../range.ts";

/** A way in which weights can come to a host's disk. */
export interface WeightsDelivery {
  /** `s3-instance-store` and `s3-volume` are what berth does; the others are here to be compared with. */
  readonly way:
    | "s3-instance-store"
    | "s3-volume"
    | "snapshot-at-a-rate"
    | "fast-snapshot-restore"
    | "fsx-lustre";
  /** Until the last byte can be read at the disk's own speed. */
  readonly seconds: Range;
  /** What it costs to keep beside the copy in S3, USD a month of 730 h; undefined where no price is known. */
  readonly keepMonthlyUsd: number | undefined;
  /** What holds it up, or what has to be known of it. */
  readonly why: string;
}

/** What the ways depend on. */
export interface DeliveryCase {
  readonly weightsGiB: number;
  /** All instance-store disks together; undefined or 0 where there are none. */
  readonly localNvmeGB: number | undefined;
  /** Undefined where it is not known. */
  readonly networkGbps: number | undefined;
  readonly networkGbpsPeak: number | undefined;
}

const gib = 1024 ** 3;
const mebi = 1024 ** 2;

/** When the figures below were read. */
export const deliveryFiguresAsOf = "2026-11-25";

const figures = {
  /** Of a network card, by ranged GETs: CRT reached 85 of 100 Gbit/s (github.com/awslabs/aws-c-s3/issues/251). The low end is an assumption. */
  networkShare: { low: 0.5, high: 0.85 },
  /** Striped NVMe took 2.66 GiB/s of written weights (github.com/marin-community/marin/issues/7136). */
  nvmeBytesPerSecond: 2.66 * gib,
  /** gp3 as it comes, MiB/s (https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html). */
  gp3MiBPerSecond: 125,
  /** Rates that can be asked for (https://docs.aws.amazon.com/ebs/latest/userguide/initalize-volume.html). */
  initialisationMiBPerSecond: { low: 100, high: 300 },
  /** Standard tier (https://docs.aws.amazon.com/ebs/latest/userguide/snapshot-archive-pricing.html). */
  snapshotUsdPerGBMonth: 0.05,
  /** A zone, us-east-1 (https://docs.aws.amazon.com/whitepapers/latest/how-aws-pricing-works/amazon-ebs.html). */
  fastRestoreHourlyUsd: 0.75,
  /** SSD, persistent, 125 MB/s a TiB (https://aws.amazon.com/fsx/lustre/pricing/, as https://c3x.dev/resources/aws/aws_fsx_lustre_file_system/ repeats it). */
  lustreUsdPerGBMonth: 0.145,
  /** GiB; sizes go in steps of 2400 from there on. */
  lustreLeastGiB: 1200,
  lustreStepGiB: 2400,
  /** MB/s for each TiB; bursts are faster, and end. */
  lustreMBPerSecondPerTiB: 125,
} as const;

/** What the file systems leave of a disk, and what the engine's own files take. */
const nvmeHeadroom = 1.15;

function fromS3(bytes: number, given: DeliveryCase): WeightsDelivery {
  const disksGiB = ((given.localNvmeGB ?? 0) * 1e9) / gib;
  if (disksGiB < given.weightsGiB * nvmeHeadroom) {
    const seconds = bytes / (figures.gp3MiBPerSecond * mebi);
    const why = `a gp3 volume takes ${figures.gp3MiBPerSecond} MiB/s; the type has no NVMe disks that hold them`;
    return {
      way: "s3-volume",
      seconds: { low: seconds, high: seconds * 1.2 },
      keepMonthlyUsd: 0,
      why,
    };
  }
  const base = given.networkGbps ?? given.networkGbpsPeak ?? 5;
  const peak = Math.max(given.networkGbpsPeak ?? base, base);
  const { networkShare, nvmeBytesPerSecond } = figures;
  const rate = (gbps: number, share: number): number =>
    Math.min((gbps * 1e9 * share) / 8, nvmeBytesPerSecond);
  const slow = rate(base, networkShare.low);
  const fast = rate(peak, networkShare.high);
  const limit = fast === nvmeBytesPerSecond ? "the disks, at best" : "the network";
  const why = `${limit}; ${base === peak ? base : `${base} to ${peak}`} Gbit/s`;
  return {
    way: "s3-instance-store",
    seconds: { low: bytes / fast, high: bytes / slow },
    keepMonthlyUsd: 0,
    why,
  };
}

function snapshots(bytes: number, weightsGiB: number): readonly WeightsDelivery[] {
  const { initialisationMiBPerSecond: rate } = figures;
  const keep = weightsGiB * figures.snapshotUsdPerGBMonth;
  const gp3 = bytes / (figures.gp3MiBPerSecond * mebi);
  return [
    {
      way: "snapshot-at-a-rate",
      seconds: { low: bytes / (rate.high * mebi), high: bytes / (rate.low * mebi) },
      keepMonthlyUsd: undefined,
      why: `the snapshot is $${keep.toFixed(2)} a month; the rate, ${rate.low} to ${rate.high} MiB/s, has a price of its own that the tables lack; without it AWS names no time`,
    },
    {
      way: "fast-snapshot-restore",
      seconds: { low: gp3, high: gp3 * 1.2 },
      keepMonthlyUsd: keep + figures.fastRestoreHourlyUsd * 730,
      why: `read at the volume's ${figures.gp3MiBPerSecond} MiB/s; $${figures.fastRestoreHourlyUsd} an hour in each zone while it is on`,
    },
  ];
}

function lustre(bytes: number, weightsGiB: number): WeightsDelivery {
  const { lustreLeastGiB: least, lustreStepGiB: step } = figures;
  const sizeGiB = weightsGiB <= least ? least : Math.ceil(weightsGiB / step) * step;
  const rate = (sizeGiB / 1024) * figures.lustreMBPerSecondPerTiB * 1e6;
  return {
    way: "fsx-lustre",
    seconds: { low: bytes / rate, high: (bytes / rate) * 1.2 },
    keepMonthlyUsd: sizeGiB * figures.lustreUsdPerGBMonth,
    why: `read from ${sizeGiB} GiB of file system at ${figures.lustreMBPerSecondPerTiB} MB/s a TiB, paid for while nobody reads`,
  };
}

/**
 * The ways in which weights can reach a host, what each takes and costs; the first is the one that berth takes.
 *
 * Times are for the bytes alone: no start of the host and no load into the GPU. Prices are of us-east-1.
 */
export function weightsDelivery(given: DeliveryCase): readonly WeightsDelivery[] {
  const bytes = given.weightsGiB * gib;
  return [
    fromS3(bytes, given),
    ...snapshots(bytes, given.weightsGiB),
    lustre(bytes, given.weightsGiB),
  ];
}
