/** How things are found and removed, and in what order. */
export interface RemovalRounds<Thing> {
  /** What is there now. */
  readonly ask: () => Promise<readonly Thing[]>;
  /** Removes one; gives the reason when it does not go, undefined when it was asked to go or is gone. */
  readonly remove: (thing: Thing) => Promise<string | undefined>;
  readonly key: (thing: Thing) => string;
  /** Its place in the order of removal; negative means that it is not to be removed. */
  readonly rank: (thing: Thing) => number;
  /** Waits between two rounds. */
  readonly pause: () => Promise<void>;
  /** Told a reason once, when it is new. */
  readonly tell: (thing: Thing, reason: string) => void;
}

/** What removal came to. */
export interface RoundsResult<Thing> {
  readonly removed: readonly Thing[];
  readonly left: readonly Thing[];
  readonly reasonOf: (thing: Thing) => string | undefined;
}

/**
 * Removes what is found, in order, and asks again, until nothing is left that could go or the rounds are over. What is asked
 * counts, not what the calls answered: an answer can be lost, and a list can lag.
 */
export async function removeInRounds<Thing>(
  work: RemovalRounds<Thing>,
  rounds: number,
): Promise<RoundsResult<Thing>> {
  const asked = new Map<string, Thing>();
  const reasons = new Map<string, string>();
  for (let round = 1; ; round += 1) {
    const left = await work.ask();
    const movable = left.filter((thing) => work.rank(thing) >= 0);
    if (movable.length === 0 || round > rounds) {
      const there = new Set(left.map(work.key));
      const removed = [...asked].filter(([key]) => !there.has(key)).map(([, thing]) => thing);
      return { removed, left, reasonOf: (thing) => reasons.get(work.key(thing)) };
    }
    for (const thing of movable.toSorted((a, b) => work.rank(a) - work.rank(b))) {
      const key = work.key(thing);
      asked.set(key, thing);
      const reason = await work.remove(thing);
      if (reason !== undefined && reasons.get(key) !== reason) work.tell(thing, reason);
      if (reason === undefined) reasons.delete(key);
      else reasons.set(key, reason);
    }
    await work.pause();
  }
}
