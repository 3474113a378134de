import { expiryTag, ownerTag, protectTag, runTag, stackTag, type Tags } from "../identity.ts";

/** Something that the account has, with its tags. */
export interface AccountThing {
  readonly region: string;
  readonly service: string;
  readonly kind: string;
  readonly id: string;
  readonly tags: Tags;
  /** When it was last changed, RFC 3339, where AWS tells and it matters. */
  readonly changedAt?: string | undefined;
}

/** What is to be thought of a deployment. */
export type Verdict =
  /** It runs, and ends at its deadline. */
  | "running"
  /** It runs without an end: nothing but a person ends it. */
  | "endless"
  | "protected"
  /** Its deadline is over, and something of it is still there. */
  | "past-deadline"
  /** It costs money and has a deadline, and no schedule that would end it. */
  | "unguarded"
  /** Only what costs nothing is left of it: an `up` or `down` that was cut off. */
  | "remains";

/** One deployment as the account alone tells of it. */
export interface AuditedRun {
  readonly runId: string;
  readonly stack: string;
  readonly env: string;
  readonly owner: string;
  readonly model: string;
  readonly regions: readonly string[];
  /** Hours since its start; undefined where no tag says it. */
  readonly ageHours: number | undefined;
  /** RFC 3339; empty means none is known. */
  readonly expiresAt: string;
  /** USD an hour while it has a host or an endpoint, else 0. */
  readonly hourlyUsd: number;
  readonly verdict: Verdict;
  /** One sentence. */
  readonly reason: string;
  readonly things: readonly AccountThing[];
}

/** After the deadline the schedules have this long, minutes. */
export const graceMinutes = 15;

/** A budget that stands alone for less than this may be one of an `up` that is under way, minutes. */
const loneBudgetMinutes = 60;

/** What costs money by the hour of its being there. */
const paidKinds = [
  "instance",
  "volume",
  "snapshot",
  "address",
  "spot-request",
  "endpoint",
  "training-job",
  "notebook-instance",
  "vpc-endpoint",
];

/** Whether it is protected, by what costs, or by the group of the deadline's schedules while an endpoint is stopped. */
function isProtected({ kind, tags }: AccountThing): boolean {
  const counts =
    paidKinds.includes(kind) || (kind === "schedule-group" && tags[expiryTag] !== undefined);
  return counts && tags[protectTag] === "true";
}

/** Kinds whose price is the deployment's. */
const pricedKinds = ["instance", "endpoint", "training-job"];

function value(things: readonly AccountThing[], key: string): string {
  return things.find(({ tags }) => (tags[key] ?? "") !== "")?.tags[key] ?? "";
}

/** The latest deadline that any part says: an extension that was cut off must not end a host before its time. */
function deadlineOf(things: readonly AccountThing[]): string {
  return things
    .map(({ tags }) => tags[expiryTag] ?? "")
    .reduce((latest, each) => (each > latest ? each : latest), "");
}

function judge(things: readonly AccountThing[], expiresAt: string, now: Date) {
  const paid = things.filter(({ kind }) => paidKinds.includes(kind));
  const late = expiresAt === "" ? 0 : (now.getTime() - Date.parse(expiresAt)) / 60_000;
  const ended = expiresAt !== "" && late > graceMinutes;
  if (things.some(isProtected)) {
    return { verdict: "protected", reason: `${protectTag} is true` } as const;
  }
  if (ended && paid.length > 0) {
    const reason = `its deadline ${expiresAt} passed ${Math.floor(late)} minutes ago`;
    return { verdict: "past-deadline", reason } as const;
  }
  if (things.every(({ kind }) => kind === "budget")) {
    return { verdict: "remains", reason: "only its budget is left: its stack is gone" } as const;
  }
  if (paid.length === 0) {
    return { verdict: "remains", reason: "nothing of it costs by the hour any more" } as const;
  }
  if (expiresAt === "") return { verdict: "endless", reason: "it has no deadline" } as const;
  const guarded = things.some(({ kind }) => kind === "schedule-group");
  if (!guarded) {
    return { verdict: "unguarded", reason: "the schedules that would end it are gone" } as const;
  }
  return { verdict: "running", reason: `it ends at ${expiresAt}` } as const;
}

function auditRun(runId: string, things: readonly AccountThing[], now: Date): AuditedRun {
  const expiresAt = deadlineOf(things);
  const startedAt = value(things, "berth:started-at");
  const lives = things.some(({ kind }) => pricedKinds.includes(kind));
  const ageMs = now.getTime() - Date.parse(startedAt);
  return {
    runId,
    stack: value(things, stackTag),
    env: value(things, "berth:env"),
    owner: value(things, ownerTag),
    model: value(things, "berth:model"),
    regions: [...new Set(things.map(({ region }) => region))].toSorted(),
    ageHours: startedAt === "" ? undefined : ageMs / 3_600_000,
    expiresAt,
    hourlyUsd: lives ? Number(value(things, "berth:hourly-usd")) : 0,
    ...judge(things, expiresAt, now),
    things,
  };
}

/** Every deployment that an account's things belong to, the dearest first; pure. */
export function auditRuns(things: readonly AccountThing[], now: Date): readonly AuditedRun[] {
  return [...Map.groupBy(things, ({ tags }) => tags[runTag] ?? "")]
    .map(([runId, found]) => auditRun(runId, found, now))
    .toSorted((a, b) => b.hourlyUsd - a.hourlyUsd || a.runId.localeCompare(b.runId));
}

/** Whether nothing but budgets is left of a deployment, for long enough that no `up` is at work; a protected one stays. */
function isLoneBudget({ things }: AuditedRun, now: Date): boolean {
  return things.every(({ kind, tags, changedAt }) => {
    if (kind !== "budget" || changedAt === undefined || tags[protectTag] === "true") return false;
    return now.getTime() - Date.parse(changedAt) > loneBudgetMinutes * 60_000;
  });
}

/**
 * Whether `--fix` takes it down: only what is over, is not protected, and says whose it is.
 *
 * @param complete whether every region answered; a budget belongs to the whole account, and its stack may be anywhere in it
 */
export function isFixable(run: AuditedRun, now: Date, complete = true): boolean {
  const { runId, verdict, expiresAt } = run;
  if (runId === "") return false;
  if (verdict === "past-deadline") return true;
  if (verdict !== "remains") return false;
  if (isLoneBudget(run, now)) return complete;
  return expiresAt !== "" && Date.parse(expiresAt) < now.getTime();
}
