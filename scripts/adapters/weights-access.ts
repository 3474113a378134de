import {
  GetBucketPolicyCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  S3Client,
} from "@aws-sdk/client-s3";
import { UserError } from "../../components/user-error.ts";
import { readDenials } from "../../components/weights/bucket-policy.ts";
import type { AccountScope } from "./account-scope.ts";
import type { WeightsPlace } from "./weights-check.ts";

/** What of reading the weights is said before there is a role that could try. */
export interface WeightsAccess extends WeightsPlace {
  /** Key that the role may decrypt with. */
  readonly weightsKmsKeyArn: string | undefined;
}

async function policyOf(client: S3Client, Bucket: string): Promise<string | undefined> {
  try {
    return (await client.send(new GetBucketPolicyCommand({ Bucket }))).Policy;
  } catch (error) {
    if (error instanceof Error && error.name === "NoSuchBucketPolicy") return undefined;
    throw error;
  }
}

/** @throws UserError when a statement keeps everybody away, always */
async function policyWarnings(client: S3Client, place: WeightsPlace): Promise<readonly string[]> {
  const { bucket, prefix } = place;
  const policy = await policyOf(client, bucket);
  const denials = policy === undefined ? [] : readDenials(policy, place);
  const always = denials.filter(({ conditions }) => conditions.length === 0);
  if (always.length > 0) {
    throw new UserError(`Nobody may read s3://${bucket}/${prefix}, by the bucket's own policy.`, {
      problems: always.map(({ name }) => `the bucket's policy: ${name} denies s3:GetObject`),
      hint: "Except the stack's execution role from it, or put the weights into another bucket.",
    });
  }
  return denials.map(
    ({ name, conditions }) =>
      `the policy of ${bucket} denies reading under a condition (${name}: ${conditions.join(", ")}); SageMaker will say whether it can`,
  );
}

/** The key of the first object, where that is not AWS's own for all of S3. */
async function keyWarning(
  client: S3Client,
  { bucket: Bucket, prefix: Prefix, weightsKmsKeyArn }: WeightsAccess,
): Promise<readonly string[]> {
  const { Contents = [] } = await client.send(
    new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 }),
  );
  const Key = Contents[0]?.Key;
  if (Key === undefined) return [];
  const { SSEKMSKeyId: key } = await client.send(new HeadObjectCommand({ Bucket, Key }));
  if (key === undefined || key === weightsKmsKeyArn) return [];
  return [
    `s3://${Bucket}/${Key} is encrypted with ${key}; if that is a key of your own, set berth:weightsKmsKeyArn to it, or the endpoint cannot read it`,
  ];
}

/**
 * What would keep an endpoint's role from reading the weights, as far as it can be known before there is one.
 *
 * @returns what may, and what could not be asked
 * @throws UserError when the bucket's policy keeps everybody away
 */
export async function checkWeightsAccess(
  scope: AccountScope,
  access: WeightsAccess,
): Promise<readonly string[]> {
  const emulated = scope.client.endpoint !== undefined;
  const client = new S3Client({ ...scope.client, forcePathStyle: emulated, maxAttempts: 2 });
  const told = (what: string) => (error: unknown) => {
    if (error instanceof UserError) throw error;
    const why = error instanceof Error ? error.message : String(error);
    return [`${what} could not be looked at (${why})`];
  };
  try {
    const policy = policyWarnings(client, access).catch(told(`the policy of ${access.bucket}`));
    const key = keyWarning(client, access).catch(told("the encryption of the weights"));
    return (await Promise.all([policy, key])).flat();
  } finally {
    client.destroy();
  }
}
