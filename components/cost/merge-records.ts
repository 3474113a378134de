import type { Measurement, RunRecord, Usage, UsageKind } from "./usage.ts";

/** A run as it was last seen. */
export interface SeenRun {
  readonly record: RunRecord;
  /** RFC 3339. */
  readonly seenAt: string;
}

/** One look at the account. */
export interface Look {
  readonly runs: readonly RunRecord[];
  /** RFC 3339. */
  readonly seenAt: string;
  /** Kinds that got no answer, by region: what is not listed of these is not gone. @default all answered */
  readonly unanswered?: Readonly<Record<string, readonly UsageKind[]>> | undefined;
}

function ended(usage: Usage, at: string): Usage {
  if (usage.span.to !== undefined) return usage;
  const measured = usage.measured?.map((each) => ({ ...each, to: each.to ?? at }));
  return { ...usage, measured, span: { ...usage.span, to: at } };
}

/** When the last instance of a run ended; undefined while one goes on, or when it had none. */
function lastEnd(usages: readonly Usage[]): string | undefined {
  const instances = usages.filter(({ kind }) => kind === "instance");
  const ends = instances.flatMap(({ span }) => (span.to === undefined ? [] : [span.to]));
  return instances.length > 0 && ends.length === instances.length
    ? ends.toSorted().at(-1)
    : undefined;
}

/** What goes with its instance: the disk that is deleted on termination, and the address that AWS lent it. */
const instanceParts: readonly UsageKind[] = ["volume", "address"];

/** The sizes of a bucket: what it is now, it has been since the look before. */
function sizes(known: Usage, now: Usage, knownAt: string): readonly Measurement[] {
  const before = known.measured ?? [{ from: known.span.from, units: known.units }];
  const last = before.at(-1);
  if (last?.to === undefined && last?.units === now.units) return before;
  const closed = before.map((each) => ({ ...each, to: each.to ?? knownAt }));
  return [...closed, { from: knownAt, units: now.units }];
}

/** A start after a stop is a new launch to EC2, and the stop is forgotten: an earlier look knew both. */
function restarted(known: Usage, now: Usage): Pick<Usage, "span" | "stopped"> {
  const stops = known.stopped ?? [];
  if (known.span.from >= now.span.from) return { span: now.span, stopped: now.stopped };
  const over = stops.map(({ from, to = now.span.from }) => ({ from, to }));
  return {
    span: { ...now.span, from: known.span.from },
    stopped: [...over, ...(now.stopped ?? [])],
  };
}

/** What is listed now, with what only an earlier look knew. */
function continued(known: Usage | undefined, now: Usage, knownAt: string): Usage {
  if (known === undefined) return now;
  if (now.kind === "bucket") return { ...now, measured: sizes(known, now, knownAt) };
  // The first look knew the volumes that the tag's price holds too; they are gone with the instance, and the price is not.
  const prices = now.prices.length === 1 ? known.prices : now.prices;
  return { ...now, ...restarted(known, now), prices };
}

/** What an earlier look knew of a run and this one did not list, ended where it must have. */
function leftOver(known: SeenRun, now: readonly Usage[], look: Look): readonly Usage[] {
  const { record } = known;
  const listed = new Set(now.map(({ resourceId }) => resourceId));
  const silent = look.unanswered?.[record.region] ?? [];
  const end = lastEnd(now);
  return record.usages
    .filter(({ resourceId }) => !listed.has(resourceId))
    .map((usage) => {
      if (silent.includes(usage.kind)) return usage;
      return ended(usage, (instanceParts.includes(usage.kind) ? end : undefined) ?? look.seenAt);
    });
}

/**
 * What is known of all runs: what the account tells now, and what it told before of things that it no longer lists. Such a
 * thing ended between two looks; a disk and an address ended with their instance, and anything else is counted until the
 * later look, so that no time that was paid is left out.
 */
export function mergeRecords(before: readonly SeenRun[], look: Look): readonly SeenRun[] {
  const { runs: now, seenAt } = look;
  const runs = new Map(before.map((seen) => [seen.record.runId, seen]));
  const told = new Set(now.map(({ runId }) => runId));
  for (const known of before) {
    if (told.has(known.record.runId)) continue;
    const usages = leftOver(known, [], look);
    runs.set(known.record.runId, { record: { ...known.record, usages }, seenAt });
  }
  for (const record of now) {
    const known = runs.get(record.runId);
    const find = (id: string) => known?.record.usages.find(({ resourceId }) => resourceId === id);
    const listed = record.usages.map((usage) =>
      continued(find(usage.resourceId), usage, known?.seenAt ?? seenAt),
    );
    const gone = known === undefined ? [] : leftOver(known, record.usages, look);
    runs.set(record.runId, { record: { ...record, usages: [...gone, ...listed] }, seenAt });
  }
  return [...runs.values()];
}
