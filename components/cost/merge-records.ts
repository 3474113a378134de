import type { RunRecord, Usage } from "./usage.ts";

/** A run as it was last seen. */
export interface SeenRun {
  readonly record: RunRecord;
  /** RFC 3339. */
  readonly seenAt: string;
}

function closed(usage: Usage, at: string): Usage {
  return usage.span.to === undefined ? { ...usage, span: { ...usage.span, to: at } } : usage;
}

/**
 * What is known of all runs: what the account tells now, and what it told before of things that it no longer lists. Such a
 * thing ended between two looks; it is counted until the later one, so that no time that was paid is left out.
 */
export function mergeRecords(
  before: readonly SeenRun[],
  now: readonly RunRecord[],
  seenAt: string,
): readonly SeenRun[] {
  const runs = new Map(before.map((seen) => [seen.record.runId, seen]));
  for (const { runId } of before.map(({ record }) => record)) {
    if (!now.some((record) => record.runId === runId)) {
      const known = runs.get(runId);
      if (known === undefined) continue;
      const usages = known.record.usages.map((usage) => closed(usage, seenAt));
      runs.set(runId, { record: { ...known.record, usages }, seenAt });
    }
  }
  for (const record of now) {
    const listed = new Set(record.usages.map(({ resourceId }) => resourceId));
    const gone = (runs.get(record.runId)?.record.usages ?? [])
      .filter(({ resourceId }) => !listed.has(resourceId))
      .map((usage) => closed(usage, seenAt));
    runs.set(record.runId, { record: { ...record, usages: [...gone, ...record.usages] }, seenAt });
  }
  return [...runs.values()];
}
