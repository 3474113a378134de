import type { ServerSideEncryption } from "@aws-sdk/client-s3";
import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context, type InputsOf } from "../../engine/resource-type.ts";
import { boolean, object, set, string } from "../../engine/schema.ts";

const inputs = {
  bucket: string({ required: true, replace: true }),
  rules: set(
    object({
      applyServerSideEncryptionByDefault: object({
        sseAlgorithm: string({ required: true, oneOf: ["AES256", "aws:kms", "aws:kms:dsse"] }),
        kmsMasterKeyId: string(),
      }),
      bucketKeyEnabled: boolean(),
    }),
    { required: true },
  ),
};

async function put(context: Context, id: string, { rules = [] }: InputsOf<typeof inputs>) {
  const s3 = await context.clients.s3();
  const Rules = rules.map(({ applyServerSideEncryptionByDefault: by, bucketKeyEnabled }) => ({
    BucketKeyEnabled: bucketKeyEnabled,
    ...(by === undefined
      ? {}
      : {
          ApplyServerSideEncryptionByDefault: {
            SSEAlgorithm: by.sseAlgorithm as ServerSideEncryption,
            KMSMasterKeyID: by.kmsMasterKeyId,
          },
        }),
  }));
  await s3.putBucketEncryption({ Bucket: id, ServerSideEncryptionConfiguration: { Rules } });
}

/** How a bucket encrypts what is put in it. Deleting it gives AWS's own default back. */
export const bucketServerSideEncryptionConfiguration = resourceType({
  token: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  inputs,
  outputs: [],
  create: async (context, given) => {
    const id = given.bucket ?? "";
    await put(context, id, given);
    return { id };
  },
  read: async (context, id) => {
    const s3 = await context.clients.s3();
    const answer = await unlessGone(s3.getBucketEncryption({ Bucket: id }));
    const found = answer?.ServerSideEncryptionConfiguration?.Rules;
    if (found === undefined) return undefined;
    const rules = found.map(({ ApplyServerSideEncryptionByDefault: by, BucketKeyEnabled }) => ({
      bucketKeyEnabled: BucketKeyEnabled,
      applyServerSideEncryptionByDefault: {
        sseAlgorithm: by?.SSEAlgorithm,
        kmsMasterKeyId: by?.KMSMasterKeyID,
      },
    }));
    return { bucket: id, rules };
  },
  update: (context, id, { news }) => put(context, id, news),
  delete: async (context, id) => {
    const s3 = await context.clients.s3();
    await unlessGone(s3.deleteBucketEncryption({ Bucket: id }));
  },
});
