import { openWindow, parseOfficeHours } from "../../components/lease/office-hours.ts";

/** On what a teardown that the clock runs waits. */
export interface DueConditions {
  /** The lease is over. */
  readonly ifOver: boolean;
  /** It is outside of the stack's office hours. */
  readonly ifClosed: boolean;
}

/** What is known of a stack's time. */
export interface DueFacts {
  /** RFC 3339; empty means no end. */
  readonly expiresAt: string;
  /** As in `berth:officeHours`; undefined means none. */
  readonly officeHours: string | undefined;
}

/** Whether it is time, and what speaks against it. */
export interface Due {
  readonly due: boolean;
  /** One sentence without its subject; empty when it is time. */
  readonly why: string;
}

function overDue({ expiresAt }: DueFacts, now: Date): Due {
  if (expiresAt === "") return { due: false, why: "has no lease" };
  const due = Date.parse(expiresAt) <= now.getTime();
  return { due, why: due ? "" : `ends at ${expiresAt}` };
}

function closedDue({ officeHours }: DueFacts, now: Date): Due {
  if (officeHours === undefined) return { due: false, why: "has no office hours" };
  const due = openWindow(parseOfficeHours(officeHours), now) === undefined;
  return { due, why: due ? "" : "is within its office hours" };
}

/**
 * Whether a teardown is due: without conditions always, else when one of those that were given is met; pure.
 *
 * @throws UserError when the office hours cannot be read
 */
export function teardownDue({ ifOver, ifClosed }: DueConditions, facts: DueFacts, now: Date): Due {
  const asked = [
    ...(ifOver ? [overDue(facts, now)] : []),
    ...(ifClosed ? [closedDue(facts, now)] : []),
  ];
  if (asked.length === 0 || asked.some(({ due }) => due)) return { due: true, why: "" };
  return { due: false, why: asked.map(({ why }) => why).join(", and ") };
}
