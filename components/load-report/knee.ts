import type { RungFigures } from "./rung-figures.ts";

/** What the answers have to keep to, at the 90th percentile; seconds. */
export interface LatencyLimits {
  readonly firstTokenSeconds: number | undefined;
  readonly wholeSeconds: number | undefined;
}

/** The rung to run at. */
export interface Knee {
  readonly load: number;
  /** One sentence. */
  readonly reason: string;
}

/** More failures than this, and a rung is no place to run at. */
const failedShare = 0.01;

function most(
  rungs: readonly RungFigures[],
  worth: (rung: RungFigures) => number,
): RungFigures | undefined {
  return rungs.reduce<RungFigures | undefined>(
    (best, rung) => (best === undefined || worth(rung) > worth(best) ? rung : best),
    undefined,
  );
}

function keeps(rung: RungFigures, limits: LatencyLimits): boolean {
  const { firstTokenSeconds, wholeSeconds } = rung;
  if (firstTokenSeconds === undefined || wholeSeconds === undefined) return false;
  return (
    firstTokenSeconds.p90.value <= (limits.firstTokenSeconds ?? Infinity) &&
    wholeSeconds.p90.value <= (limits.wholeSeconds ?? Infinity)
  );
}

/** Tokens a second for each second that an answer takes: the power of a server, largest at its knee. */
function power({ answerTokensPerSecond, wholeSeconds }: RungFigures): number {
  return wholeSeconds === undefined ? 0 : answerTokensPerSecond / wholeSeconds.p50.value;
}

/**
 * The best rung: under limits, the one of most tokens a second that keeps them at the 90th percentile; without, the one of
 * the largest throughput for each second of latency (L. Kleinrock's power, ICC 1979). Rungs that failed or measured the
 * client are left out.
 *
 * @returns undefined where no rung will do
 */
export function findKnee(rungs: readonly RungFigures[], limits: LatencyLimits): Knee | undefined {
  const sound = rungs.filter((rung) => rung.failedShare <= failedShare && !rung.clientBound);
  const limited = limits.firstTokenSeconds !== undefined || limits.wholeSeconds !== undefined;
  if (limited) {
    const best = most(
      sound.filter((rung) => keeps(rung, limits)),
      (rung) => rung.answerTokensPerSecond,
    );
    const reason = "most tokens a second within the limits, at the 90th percentile";
    return best === undefined ? undefined : { load: best.load, reason };
  }
  const best = most(
    sound.filter(({ wholeSeconds }) => wholeSeconds !== undefined),
    power,
  );
  const reason = "most tokens a second for each second that an answer takes";
  return best === undefined ? undefined : { load: best.load, reason };
}
