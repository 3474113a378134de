import { unlessGone } from "../../engine/gone.ts";
import { resourceType, type Context } from "../../engine/resource-type.ts";
import { boolean, string } from "../../engine/schema.ts";
import type { Properties } from "../../engine/wire.ts";

async function put(context: Context, id: string, inputs: Properties): Promise<void> {
  const s3 = await context.clients.s3();
  await s3.putPublicAccessBlock({
    Bucket: id,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: inputs["blockPublicAcls"] === true,
      BlockPublicPolicy: inputs["blockPublicPolicy"] === true,
      IgnorePublicAcls: inputs["ignorePublicAcls"] === true,
      RestrictPublicBuckets: inputs["restrictPublicBuckets"] === true,
    },
  });
}

/** Keeps a bucket from being opened to the world. */
export const bucketPublicAccessBlock = resourceType({
  token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  inputs: {
    bucket: string({ required: true, replace: true }),
    blockPublicAcls: boolean({ default: false }),
    blockPublicPolicy: boolean({ default: false }),
    ignorePublicAcls: boolean({ default: false }),
    restrictPublicBuckets: boolean({ default: false }),
    skipDestroy: boolean(),
  },
  outputs: [],
  create: async (context, inputs) => {
    const id = inputs.bucket ?? "";
    await put(context, id, inputs);
    return { id };
  },
  read: async (context, id) => {
    const s3 = await context.clients.s3();
    const answer = await unlessGone(s3.getPublicAccessBlock({ Bucket: id }));
    const found = answer?.PublicAccessBlockConfiguration;
    if (found === undefined) return undefined;
    return {
      bucket: id,
      blockPublicAcls: found.BlockPublicAcls ?? false,
      blockPublicPolicy: found.BlockPublicPolicy ?? false,
      ignorePublicAcls: found.IgnorePublicAcls ?? false,
      restrictPublicBuckets: found.RestrictPublicBuckets ?? false,
    };
  },
  update: (context, id, { news }) => put(context, id, news),
  delete: async (context, id, state) => {
    if (state["skipDestroy"] === true) return;
    const s3 = await context.clients.s3();
    await unlessGone(s3.deletePublicAccessBlock({ Bucket: id }));
  },
});
