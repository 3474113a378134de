import { ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { serverlessLimits } from "../../components/sagemaker-endpoint/serverless-limits.ts";
import { UserError } from "../../components/user-error.ts";
import type { AccountScope } from "./account-scope.ts";

/** How such an archive is made. */
function howTo(uri: string): string {
  return `Make it of the model's GGUF files: tar -czf - -C <folder> <files> | aws s3 cp - ${uri}`;
}

/** By a listing, which takes no permission to read it; undefined where there is none. */
async function sizeOf(
  client: S3Client,
  { bucket: Bucket, key: Prefix }: { readonly bucket: string; readonly key: string },
): Promise<number | undefined> {
  try {
    const asked = new ListObjectsV2Command({ Bucket, Prefix, MaxKeys: 1 });
    const { Contents: [first] = [] } = await client.send(asked);
    return first?.Key === Prefix ? (first.Size ?? 0) : undefined;
  } catch (error) {
    if (error instanceof Error && error.name === "NoSuchBucket") return undefined;
    throw error;
  }
}

/**
 * Holds an `up` whose archive of weights is not there, or does not fit a container's disk, before anything is made.
 *
 * @returns a warning when it could not be looked at, or may not fit beside what is unpacked of it
 * @throws UserError saying how it is made
 */
export async function checkArchive(
  scope: AccountScope,
  place: { readonly bucket: string; readonly key: string },
): Promise<string | undefined> {
  const uri = `s3://${place.bucket}/${place.key}`;
  const emulated = scope.client.endpoint !== undefined;
  const client = new S3Client({ ...scope.client, forcePathStyle: emulated, maxAttempts: 2 });
  const { diskGB } = serverlessLimits;
  try {
    const bytes = await sizeOf(client, place);
    if (bytes === undefined) {
      throw new UserError(`There is no ${uri}, which a serverless endpoint unpacks.`, {
        hint: howTo(uri),
      });
    }
    if (bytes > diskGB * 1e9) {
      throw new UserError(
        `${uri} has ${(bytes / 1e9).toFixed(1)} GB, and a container ${diskGB} GB of disk.`,
        { hint: "Take a smaller model or fewer bits a weight, or another berth:endpointMode." },
      );
    }
    if (2 * bytes <= diskGB * 1e9) return undefined;
    return `${uri} and what is unpacked of it may be more than the ${diskGB} GB of a container's disk, if SageMaker keeps both there`;
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    return `${uri} could not be looked at (${error.message}); SageMaker will say whether it can read it`;
  } finally {
    client.destroy();
  }
}
