import { z } from "zod";
import { transferUsd } from "../components/pricing/storage-price.ts";
import { UserError } from "../components/user-error.ts";
import { manifestName, parseManifest } from "../components/weights/manifest.ts";
import { selectWeights } from "../components/weights/select-weights.ts";
import { WeightsStore, type WeightsObject } from "./adapters/s3.ts";
import { bytesText, duplicatePaths } from "./sync-text.ts";

/** Objects up to this size come in one request, whose answer tells their checksum. */
const wholeBytes = 8 * 1024 * 1024;

/** What to bring where. */
export interface SyncInputs {
  readonly bucket: string;
  readonly prefix: string;
  readonly region: string;
  readonly folder: string;
  readonly dataFolder: string;
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  /** Where the bucket is, when that is not the host's region: the traffic between them is paid for. @default `region` */
  readonly bucketRegion?: string | undefined;
  /** The host pays for requests and traffic, as the bucket's owner asks. @default false */
  readonly requesterPays?: boolean | undefined;
}

/** The store that the inputs name. */
export function storeOf(inputs: SyncInputs): WeightsStore {
  const { bucket, prefix, region, bucketRegion, requesterPays } = inputs;
  return new WeightsStore(bucket, prefix, bucketRegion ?? region, { requesterPays });
}

/** @param presigned with an address for each object that needs no credentials, for a host without a role */
export async function makePlan(
  store: WeightsStore,
  inputs: SyncInputs & { readonly folder: string },
  objects: readonly WeightsObject[],
  presigned: boolean,
) {
  const query = async (key: string) => new URL(await store.presign(key)).search.slice(1);
  const files = presigned
    ? await Promise.all(objects.map(async (each) => ({ ...each, query: await query(each.key) })))
    : objects;
  const { bucket, prefix, folder, requesterPays } = inputs;
  const region = inputs.bucketRegion ?? inputs.region;
  const origin = await store.origin();
  const place = { bucket, prefix, region, requesterPays, origin, folder };
  return JSON.stringify({ version: 2, ...place, rangeBytes: wholeBytes, files });
}

/** What traffic from another region costs, for the log; undefined where there is none. */
export function trafficText(inputs: SyncInputs, bytes: number): string | undefined {
  const { region, bucketRegion = region } = inputs;
  if (bucketRegion === region) return undefined;
  const usd = transferUsd(bytes, bucketRegion, region).toFixed(2);
  return `the bucket is in ${bucketRegion} and the host in ${region}: ${bytesText(bytes)} between them cost about $${usd} each time they are fetched`;
}

const awsErrorSchema = z.object({
  name: z.string(),
  message: z.string(),
  $response: z.object({ headers: z.record(z.string(), z.string()) }).optional(),
});

/** Why the list failed; a bucket elsewhere is named, since what it costs is the user's to allow. */
function listError(
  error: unknown,
  { bucket, prefix, region, bucketRegion }: SyncInputs,
): UserError {
  const { data } = awsErrorSchema.safeParse(error);
  const there = data?.$response?.headers["x-amz-bucket-region"];
  if (there !== undefined && there !== (bucketRegion ?? region))
    return new UserError(`the bucket ${bucket} is in ${there}, and the host in ${region}`, {
      cause: error,
      hint: `Copy the weights to a bucket in ${region}, or allow the traffic (about $${transferUsd(1024 ** 3, there, region)} a GB, each time) with \`berth:weightsRegion: ${there}\`.`,
    });
  const why = data === undefined ? String(error) : `${data.name}: ${data.message}`;
  return new UserError(`the weights in s3://${bucket}/${prefix} cannot be listed (${why})`, {
    cause: error,
    hint: "Check the bucket's name and region, and that your credentials may list and read it.",
  });
}

/** Holds a sync of a prefix that a push has not finished: it would bring half a model, or shards of two versions. */
async function refuseHalfPush(
  store: WeightsStore,
  { bucket, prefix }: SyncInputs,
  manifestKey: string,
): Promise<void> {
  // Who may list and not read, with a host that may, is not held up: a missing shard shows when the model is loaded.
  const text = await store.readText(manifestKey).catch(() => "");
  const manifest = parseManifest(text);
  if (manifest?.state !== "pushing") return;
  const { by, startedAt, seenAt } = manifest.push;
  throw new UserError(`the weights under s3://${bucket}/${prefix} are not all there`, {
    problems: [
      `${by} began to push ${manifest.source} at ${startedAt}; its last sign of life is of ${seenAt}`,
    ],
    hint: "Let the push end, or run it again: it goes on where it stopped.",
  });
}

/**
 * The objects to bring, each as it is now.
 *
 * @throws UserError when the bucket cannot be listed, is in another region, or has nothing of use under the prefix, or when
 *   a push to it is under way or was cut off
 */
export async function describeWeights(
  store: WeightsStore,
  inputs: SyncInputs,
): Promise<readonly WeightsObject[]> {
  const { bucket, prefix } = inputs;
  let manifestKey: string | undefined;
  const objects = await store
    .describe(wholeBytes + 1, (listed) => {
      manifestKey = listed.find(({ path }) => path === manifestName)?.key;
      return selectWeights(listed, inputs);
    })
    .catch((error: unknown) => {
      throw listError(error, inputs);
    });
  if (manifestKey !== undefined) await refuseHalfPush(store, inputs, manifestKey);
  if (objects.length === 0) {
    const selects = inputs.include !== undefined || inputs.exclude !== undefined;
    throw new UserError(`there are no weights under s3://${bucket}/${prefix}`, {
      hint: selects
        ? "Look at what `include` and `exclude` leave, or upload the model's files there first."
        : "Upload the model's files there first.",
    });
  }
  const twice = duplicatePaths(objects.map(({ path }) => path));
  if (twice !== undefined)
    throw new UserError(
      `two objects under s3://${bucket}/${prefix} would become one file: ${twice}`,
    );
  return objects;
}
