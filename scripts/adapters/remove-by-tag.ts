import { setTimeout as sleep } from "node:timers/promises";
import { type AccountScope, type Remnant } from "./account-scope.ts";
import { removeInRounds } from "../../components/teardown/remove-rounds.ts";
import type { NamedThing } from "./receipt/receipt-by-name.ts";
import { makeReceipt, type Receipt } from "./receipt/receipt.ts";
import { removers } from "./removers.ts";

/** Something that would not go, and AWS's reason. */
export interface Kept extends Remnant {
  readonly reason: string;
}

/** What a removal by tag came to. */
export interface Removal {
  readonly removed: readonly Remnant[];
  readonly kept: readonly Kept[];
  /** The account's answer at the end. */
  readonly receipt: Receipt;
}

/** How often the account is asked again, and who is told why something waits. */
export interface RemovalPatience {
  readonly rounds: number;
  readonly pauseMs: number;
  readonly tell: (line: string) => void;
  /** What of it may be removed. @default all */
  readonly only?: (remnant: Remnant) => boolean;
  /** What the run's state knew, which is looked for by name too. @default nothing */
  readonly named?: readonly NamedThing[] | undefined;
}

const alreadyGone = /NotFound|NoSuch|does ?n[o']t exist|could not find/i;

async function tryToRemove(scope: AccountScope, remnant: Remnant): Promise<string | undefined> {
  const found = removers.find(([kind]) => kind === `${remnant.service} ${remnant.kind}`);
  if (found === undefined)
    return "berth does not delete this kind: remove it by hand if it is to go";
  try {
    await found[1]({ ...scope.client, region: remnant.region ?? scope.client.region }, remnant.id);
    return undefined;
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    return alreadyGone.test(`${name} ${message}`) ? undefined : `${name}: ${message}`;
  }
}

function rank({ service, kind }: Remnant): number {
  return removers.findIndex(([known]) => known === `${service} ${kind}`);
}

function key({ service, kind, id }: Remnant): string {
  return `${service} ${kind} ${id}`;
}

/**
 * Removes what carries a run's tag, or is what its state named, in order, and asks again until nothing is left or nothing moves any more. What another
 * thing still holds (a security group of an interface that goes slowly) is tried again, and the reason is told.
 */
export async function removeByTag(
  scope: AccountScope,
  patience: RemovalPatience,
): Promise<Removal> {
  let receipt: Receipt | undefined;
  const { removed, left, reasonOf } = await removeInRounds<Remnant>(
    {
      ask: async () => {
        receipt = await makeReceipt(scope, { attempts: 1, pauseMs: 0 }, patience.named);
        return receipt.left.filter(patience.only ?? (() => true));
      },
      remove: (remnant) => tryToRemove(scope, remnant),
      key,
      rank,
      pause: () => sleep(patience.pauseMs),
      tell: (remnant, reason) => {
        patience.tell(`waits      ${key(remnant)}: ${reason}`);
      },
    },
    patience.rounds,
  );
  const kept = left.map((remnant) => ({
    ...remnant,
    reason: reasonOf(remnant) ?? unexplained(remnant),
  }));
  return { removed, kept, receipt: receipt ?? (await makeReceipt(scope)) };
}

function unexplained(remnant: Remnant): string {
  return rank(remnant) < 0
    ? "berth does not delete this kind: remove it by hand if it is to go"
    : "it is still listed, although its end was asked for";
}
