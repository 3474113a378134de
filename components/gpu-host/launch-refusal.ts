import type { Purchase } from "../plan.ts";
import { UserError } from "../user-error.ts";

/** What a refusal of EC2 is about, which decides what helps. */
export type RefusalCause = "capacity" | "quota" | "unsupported" | "price" | "other";

/** A rung of the ladder in one zone that gave no instance. */
export interface LaunchRefusal {
  readonly instanceType: string;
  /** The subnet's id where its zone is not known. */
  readonly zone: string;
  readonly purchase: Purchase;
  readonly cause: RefusalCause;
  /** EC2's own code. */
  readonly code: string;
  /** EC2's own words. */
  readonly message: string;
}

/**
 * The codes of https://docs.aws.amazon.com/ec2/latest/devguide/errors-overview.html that a launch is refused with and that
 * another type, zone or market may not have.
 */
const causes: Readonly<Record<string, RefusalCause>> = {
  InsufficientInstanceCapacity: "capacity",
  InsufficientHostCapacity: "capacity",
  InsufficientCapacity: "capacity",
  InsufficientCapacityOnHost: "capacity",
  UnfulfillableCapacity: "capacity",
  MaxSpotInstanceCountExceeded: "quota",
  VcpuLimitExceeded: "quota",
  InstanceLimitExceeded: "quota",
  SpotMaxPriceTooLow: "price",
  Unsupported: "unsupported",
  UnsupportedOperation: "unsupported",
  InvalidFleetConfiguration: "unsupported",
};

/** What a code of EC2 is about. */
export function causeOf(code: string): RefusalCause {
  return Object.hasOwn(causes, code) ? (causes[code] ?? "other") : "other";
}

/** One refusal as a line of a log. */
export function refusalText(refusal: LaunchRefusal): string {
  const { instanceType, zone, purchase, code, message } = refusal;
  return `${instanceType} ${purchase} in ${zone}: ${code}: ${message}`;
}

const remedies: Readonly<Record<RefusalCause, string>> = {
  capacity:
    "AWS lacks capacity: try again later, more zones (berth:zones), types or another region",
  quota: "raise the quota in Service Quotas, or choose smaller types",
  price: "raise berth:spotMaxHourlyUsd",
  unsupported: "choose zones that offer the types",
  other: "see EC2's words above",
};

function remedy(refusals: readonly LaunchRefusal[]): string {
  const found = new Set(refusals.map(({ cause }) => cause));
  const spotOnly = refusals.every(({ purchase }) => purchase === "spot");
  const named = Object.entries(remedies).flatMap(([cause, text]) =>
    found.has(cause as RefusalCause) ? [text] : [],
  );
  const market = spotOnly ? ["let berth:market be spot-then-on-demand"] : [];
  return `Nothing was left behind. To go on: ${[...named, ...market].join("; or ")}.`;
}

/** That no rung gave an instance, with the reason of each. */
export function nothingLaunched(region: string, refusals: readonly LaunchRefusal[]): UserError {
  return new UserError(`EC2 gave no instance of the ladder in ${region}.`, {
    problems: refusals.length === 0 ? ["EC2 gave no reason"] : refusals.map(refusalText),
    hint: remedy(refusals),
  });
}

/** That a host of a group could not be brought back, with EC2's reasons. */
export function hostNotLaunched(index: number, refusals: readonly LaunchRefusal[]): UserError {
  return new UserError(`EC2 gave no instance for host ${index}; the other hosts stay.`, {
    problems: refusals.length === 0 ? ["EC2 gave no reason"] : refusals.map(refusalText),
    hint: "A group stays in its zone, of one type. Run berth up again later, or take the stack down and up again to have another zone or type.",
  });
}
