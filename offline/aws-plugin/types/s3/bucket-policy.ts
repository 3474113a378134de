import { unlessGone } from "../../engine/gone.ts";
import { resourceType } from "../../engine/resource-type.ts";
import { json, string } from "../../engine/schema.ts";

/** Who may do what with a bucket. */
export const bucketPolicy = resourceType({
  token: "aws:s3/bucketPolicy:BucketPolicy",
  inputs: {
    bucket: string({ required: true, replace: true }),
    policy: json({ required: true }),
  },
  outputs: [],
  create: async (context, { bucket = "", policy }) => {
    const s3 = await context.clients.s3();
    await s3.putBucketPolicy({ Bucket: bucket, Policy: policy });
    return { id: bucket };
  },
  read: async (context, id) => {
    const s3 = await context.clients.s3();
    const found = await unlessGone(s3.getBucketPolicy({ Bucket: id }));
    return found?.Policy === undefined ? undefined : { bucket: id, policy: found.Policy };
  },
  update: async (context, id, { news, changed }) => {
    if (!changed.has("policy")) return;
    const s3 = await context.clients.s3();
    await s3.putBucketPolicy({ Bucket: id, Policy: news.policy });
  },
  delete: async (context, id) => {
    const s3 = await context.clients.s3();
    await unlessGone(s3.deleteBucketPolicy({ Bucket: id }));
  },
});
