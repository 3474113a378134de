/** An image that berth baked, or a snapshot that is left of one. */
export interface ImageThing {
  readonly kind: "image" | "snapshot";
  readonly id: string;
  readonly region: string;
  readonly state: string;
  /** RFC 3339. */
  readonly createdAt: string;
  readonly owner: string;
  /** What it was baked for. */
  readonly key: string;
  /** Of its volumes together. */
  readonly gib: number;
}

/** What the stacks of this folder know about images. */
export interface ImageWants {
  /** What their plans take an image for. */
  readonly keys: ReadonlySet<string>;
  /** Whose stacks they are: nothing is known of anybody else's. */
  readonly owners: ReadonlySet<string>;
  /** Stacks that cannot be planned, so that nobody knows what they take. */
  readonly unread: readonly string[];
}

/** An image with what is to be thought of it. */
export interface AuditedImage extends ImageThing {
  readonly ageDays: number;
  /** Its snapshots, if they were full, USD a month. */
  readonly mostMonthlyUsd: number;
  /** Whether `--fix` removes it. */
  readonly over: boolean;
  /** One sentence. */
  readonly reason: string;
}

/** Snapshots in us-east-1, USD a GiB and month: https://aws.amazon.com/ebs/pricing/, 2026-11-25. */
export const snapshotUsd = 0.05;
/** An image that is younger is left alone, days: it may be baked for a stack that is not written yet. */
export const youngDays = 7;

function isNewest(thing: ImageThing, all: readonly ImageThing[]): boolean {
  const rivals = all.filter(
    ({ kind, region, owner, state }) =>
      kind === "image" && region === thing.region && owner === thing.owner && state === "available",
  );
  return thing.kind === "image" && rivals.every(({ createdAt }) => createdAt <= thing.createdAt);
}

function judge(thing: ImageThing, ageDays: number, all: readonly ImageThing[], wants: ImageWants) {
  const keep = (reason: string) => ({ over: false, reason });
  if (thing.state === "pending") return keep("it is being made");
  if (isNewest(thing, all)) return keep("it is its owner's newest");
  if (!wants.owners.has(thing.owner)) return keep("no stack of this folder is its owner's");
  // NaN, where no date is known, is young.
  if (!(ageDays >= youngDays)) return keep(`it is younger than ${youngDays} days`);
  if (thing.kind === "snapshot") return { over: true, reason: "its image is gone" };
  if (thing.state !== "available") return { over: true, reason: `EC2 made it ${thing.state}` };
  const [unread] = wants.unread;
  if (unread !== undefined) return keep(`"${unread}" cannot be planned, and may want it`);
  if (!wants.keys.has(thing.key)) return { over: true, reason: "no stack's plan wants it" };
  const newer = all.some(
    ({ kind, region, key, state, createdAt }) =>
      kind === "image" &&
      region === thing.region &&
      key === thing.key &&
      state === "available" &&
      createdAt > thing.createdAt,
  );
  return newer
    ? { over: true, reason: "a newer one is there for the same plan" }
    : keep("a stack's plan wants it");
}

/**
 * What is to be thought of each image: `--fix` removes those that are old, belong to an owner of the stacks here, and that no
 * plan takes; never an owner's newest in a region; pure.
 */
export function auditImages(
  things: readonly ImageThing[],
  wants: ImageWants,
  now: Date,
): readonly AuditedImage[] {
  return things
    .map((thing) => {
      const ageDays = (now.getTime() - Date.parse(thing.createdAt)) / 86_400_000;
      const mostMonthlyUsd = thing.gib * snapshotUsd;
      return { ...thing, ageDays, mostMonthlyUsd, ...judge(thing, ageDays, things, wants) };
    })
    .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id));
}
