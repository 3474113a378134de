import * as pulumi from "@pulumi/pulumi";
import { explainedLater } from "../components/explained.ts";
import { LeaseRecord } from "../components/lease-record.ts";
import { newLease, parseDeadline, timestamp } from "../components/lease/lease.ts";
import {
  endWithin,
  openWindow,
  parseOfficeHours,
  type OfficeHours,
} from "../components/lease/office-hours.ts";
import { UserError } from "../components/user-error.ts";
import type { Settings } from "./settings.ts";

/** When a deployment began and ends; an empty end means none. */
export interface DeploymentLease {
  readonly startedAt: pulumi.Output<string>;
  readonly expiresAt: pulumi.Output<string>;
  /** Made by the first `up`; its tag tells this deployment from others of the same name. */
  readonly runId: pulumi.Output<string>;
}

/** What of the settings says how long a deployment lasts. */
export type LeaseSettings = Pick<
  Settings,
  "leaseHours" | "expiresAt" | "owner" | "maxAgeHours" | "officeHours"
> & {
  /** undefined for what is in no region. */
  readonly region?: string | undefined;
};

/** What a deployment is given when it has no lease yet. */
export interface LeaseCandidate {
  readonly now: Date;
  /** Twelve hexadecimal digits. */
  readonly runId: string;
}

/** Whether the settings give the deployment an end; `berth:expiresAt` wins. */
export function hasEnd({
  leaseHours,
  expiresAt,
}: Pick<LeaseSettings, "leaseHours" | "expiresAt">): boolean {
  return expiresAt === undefined ? leaseHours !== undefined : expiresAt !== "none";
}

/**
 * The lease of this deployment, made by the first `up` and kept by all later ones; only `berth:expiresAt` moves its end.
 *
 * @param candidate what the first `up` begins with
 * @throws UserError when `berth:expiresAt` has passed or is too far away; and, through the output, when the lease is over or
 *   the settings contradict it
 */
export function makeLease(
  name: string,
  settings: LeaseSettings,
  candidate: LeaseCandidate,
): DeploymentLease {
  const { now, runId } = candidate;
  const record = new LeaseRecord(
    name,
    {
      startedAt: timestamp(now),
      expiresAt: candidateEnd(settings, now),
      owner: settings.owner,
      runId,
      ...(settings.region === undefined ? {} : { region: settings.region }),
    },
    {
      ignoreChanges: [
        "startedAt",
        "runId",
        "region",
        ...(settings.expiresAt === undefined ? ["expiresAt"] : []),
      ],
    },
  );
  const expiresAt = pulumi.all([record.expiresAt, record.startedAt]).apply(([end, start]) =>
    explainedLater(() => {
      const agreed = checkedAge(checkedEnd(end, settings, now), start, settings);
      return checkedHours(agreed, { startedAt: start, settings, now });
    }),
  );
  // Every tag holds the run's id, so that nothing is made of a stack that stands somewhere else.
  const checkedRun = pulumi.all([record.runId, record.region]).apply(([run, kept]) =>
    explainedLater(() => {
      checkedRegion(kept, settings.region);
      return run;
    }),
  );
  return { startedAt: record.startedAt, expiresAt, runId: checkedRun };
}

/**
 * Refuses a region that is not the one that the deployment stands in: all of it would be made again there, and whatever of the
 * old could not go would be left where no layer of the new one looks.
 *
 * @param kept undefined for a deployment that was made before regions were kept
 * @throws UserError when they differ
 */
export function checkedRegion(kept: string | undefined, asked: string | undefined): void {
  if (kept === undefined || asked === undefined || kept === asked) return;
  throw new UserError(`This stack stands in ${kept}, and its file says ${asked}.`, {
    hint: `Set aws:region back to ${kept}; or take it down first, then bring it up in ${asked}.`,
  });
}

/** What a lease that begins now would end at; one that is there already ignores it, unless the end is set by hand. */
function candidateEnd(settings: LeaseSettings, now: Date): string {
  const { leaseHours, expiresAt } = settings;
  if (expiresAt === "none") return "";
  const asked = expiresAt === undefined ? undefined : parseDeadline(expiresAt, now);
  const full = newLease(now, leaseHours).expiresAt;
  const hours = officeHoursOf(settings);
  const isOpen = hours !== undefined && openWindow(hours, now) !== undefined;
  const end = asked ?? (isOpen ? endWithin(hours, now, full) : full);
  return end === undefined ? "" : timestamp(end);
}

function officeHoursOf({ officeHours, expiresAt }: LeaseSettings): OfficeHours | undefined {
  if (officeHours === undefined || expiresAt !== undefined) return undefined;
  return parseOfficeHours(officeHours);
}

/**
 * The end of a lease that does not begin outside of office hours; one that began before goes on.
 *
 * @throws UserError saying when office hours begin again
 */
function checkedHours(
  end: string,
  { startedAt, settings, now }: { startedAt: string; settings: LeaseSettings; now: Date },
): string {
  const hours = officeHoursOf(settings);
  if (hours !== undefined && startedAt === timestamp(now)) endWithin(hours, now, undefined);
  return end;
}

/**
 * The end that was kept, when it agrees with the settings and is still to come.
 *
 * @throws UserError otherwise: a host without its schedule, or one for a lease that is over, must not be made
 */
export function checkedEnd(
  kept: string,
  settings: Pick<LeaseSettings, "leaseHours" | "expiresAt">,
  now: Date,
): string {
  const later = "set berth:expiresAt to a later time";
  if (kept !== "" && Date.parse(kept) <= now.getTime()) {
    throw new UserError(`The lease of this stack ended at ${kept}.`, {
      hint: `Take it down, or ${later} to go on.`,
    });
  }
  if ((kept !== "") === hasEnd(settings)) return kept;
  const was = kept === "" ? "no end" : `its end at ${kept}`;
  throw new UserError(
    `The lease of this stack was made with ${was}, and berth:leaseHours cannot change it.`,
    {
      hint: 'Set berth:expiresAt to the new end, or to "none".',
    },
  );
}

/**
 * The end, when it is within the age that the environment allows.
 *
 * @throws UserError otherwise
 */
export function checkedAge(
  end: string,
  startedAt: string,
  { maxAgeHours }: Pick<LeaseSettings, "maxAgeHours">,
): string {
  const hours = (Date.parse(end) - Date.parse(startedAt)) / 3_600_000;
  if (end === "" || hours <= maxAgeHours) return end;
  throw new UserError(
    `The lease would last ${hours.toFixed(0)} hours from its start at ${startedAt}, and ${maxAgeHours} are allowed.`,
    { hint: "Give a nearer end, or set berth:maxAgeHours." },
  );
}
