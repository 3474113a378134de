import assert from "node:assert/strict";
import { WeightsBucket } from "../../../components/weights/weights-bucket.ts";
import { someTags } from "../../support/builders.ts";
import { underMocks } from "../../support/mocks.ts";

function bucket(disposable = true) {
  return underMocks(() => new WeightsBucket("weights", { disposable, tags: someTags }));
}

describe("WeightsBucket", () => {
  it("has these children and no others", async () => {
    const { childrenOf } = await bucket();
    assert.deepEqual(childrenOf("weights"), [
      ["aws:s3/bucket:Bucket", "weights-bucket"],
      [
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        "weights-encryption",
      ],
      ["aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", "weights-lifecycle"],
      ["aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "weights-private"],
      ["aws:s3/bucketPolicy:BucketPolicy", "weights-tls"],
    ]);
  });

  it("is shut to the public in all four ways", async () => {
    const { inputs } = (await bucket()).named("weights-private");
    assert.deepEqual(inputs, {
      bucket: "weights-bucket-id",
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    });
  });

  it("refuses what is not over TLS", async () => {
    const { inputs } = (await bucket()).named("weights-tls");
    assert.deepEqual(JSON.parse(String(inputs["policy"])), {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "TlsOnly",
          Effect: "Deny",
          Principal: "*",
          Action: "s3:*",
          Resource: ["arn:aws:s3:::weights-bucket-1a2b", "arn:aws:s3:::weights-bucket-1a2b/*"],
          Condition: { Bool: { "aws:SecureTransport": "false" } },
        },
      ],
    });
  });

  it("drops uploads that nobody finished", async () => {
    const { inputs } = (await bucket()).named("weights-lifecycle");
    const [rule] = inputs["rules"] as [Record<string, unknown>];
    assert.deepEqual(rule["abortIncompleteMultipartUpload"], { daysAfterInitiation: 7 });
  });

  it("goes with its objects only where it is disposable, and is tagged", async () => {
    for (const disposable of [true, false]) {
      const { inputs } = (await bucket(disposable)).named("weights-bucket");
      assert.deepEqual(inputs, {
        forceDestroy: disposable,
        tags: { ...someTags, Name: "weights-bucket" },
      });
    }
  });
});
