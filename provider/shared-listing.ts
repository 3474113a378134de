import type { WeightsObject, WeightsStore } from "./adapters/s3.ts";
import { describeWeights, type SyncInputs } from "./weights-plan.ts";

/** Longer than the hosts of one stack are apart when they begin to fetch; every range is asked for by the ETag listed. */
const freshMs = 60_000;

interface Listing {
  readonly at: number;
  readonly objects: Promise<readonly WeightsObject[]>;
}

const listings = new Map<string, Listing>();

function identityOf(inputs: SyncInputs): string {
  const { bucket, prefix, region, include, exclude, bucketRegion, requesterPays } = inputs;
  return JSON.stringify([bucket, prefix, region, include, exclude, bucketRegion, requesterPays]);
}

/**
 * The objects to bring, asked for once for all hosts of an `up` that fetch the same, so that they end with the same files.
 *
 * @param again after an object was found changed: asked for anew, for the other hosts too
 * @throws UserError as {@link describeWeights} does
 */
export function sharedListing(
  store: WeightsStore,
  inputs: SyncInputs,
  again: boolean,
): Promise<readonly WeightsObject[]> {
  const identity = identityOf(inputs);
  const known = listings.get(identity);
  if (!again && known !== undefined && Date.now() - known.at < freshMs) return known.objects;
  const objects = describeWeights(store, inputs);
  listings.set(identity, { at: Date.now(), objects });
  objects.catch(() => {
    if (listings.get(identity)?.objects === objects) listings.delete(identity);
  });
  return objects;
}
