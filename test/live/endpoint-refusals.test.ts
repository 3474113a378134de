import assert from "node:assert/strict";
import { DeleteBucketPolicyCommand, PutBucketPolicyCommand, S3Client } from "@aws-sdk/client-s3";
import { LocalStack } from "./local-stack.ts";

/** What cannot be, by the command that a person types: each is named, with what to do, before anything is made. */
describe("an endpoint that cannot be, in the emulated cloud", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(600_000);
  let local: LocalStack;
  let s3: S3Client;
  const Bucket = "berth-demo-weights";

  before(async () => {
    local = await LocalStack.start("local-endpoint-refusals");
    s3 = new S3Client({ ...local.clientSettings, forcePathStyle: true });
  });
  after(async () => {
    s3.destroy();
    await local.stop();
  });
  afterEach(async () => {
    await local.clearFaults();
    assert.deepEqual(await local.made(), [], "nothing is made");
  });

  const refusal = async (...pairs: string[]): Promise<string> => {
    const said = await local.settings("realtime", ...pairs);
    return said + (await local.berth("up"));
  };

  it("is refused with the reason of every type when the model is too large for all", async () => {
    const text = await refusal("model=llama-3.1-405b", "gpuCount=1");
    assert.match(text, /No instance type holds llama-3\.1-405b/);
    assert.match(text, /ml\.g6e\.xlarge \(\$[^]*needs \S+ GiB, and the GPU has 45\.0 GiB/);
  });

  it("is refused for an image that does not exist, of one's own or of AWS's", async () => {
    const own = "123456789012.dkr.ecr.us-east-1.amazonaws.com/none:1";
    assert.match(
      await refusal(`imageUri=${own}`),
      /There is no repository "none" in ECR[^]*Push it there, or correct berth:imageUri/,
    );
    await local.fault({ kind: "image-gone", key: "llama-cpp:" });
    assert.match(
      await refusal(),
      /There is no image 763\d+\S+llama-cpp:[^]*bring berth up to date/,
    );
  });

  it("is refused for all that the account lacks, at once: a file, the right to read, the quota", async () => {
    const Resource = `arn:aws:s3:::${Bucket}/*`;
    const Statement = [{ Effect: "Deny", Principal: "*", Action: "s3:GetObject", Resource }];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    await local.fault({ kind: "quota", service: "sagemaker", instanceType: "ml.g4dn.xlarge" });
    const text = await refusal("weightsPrefix=nothing-here/");
    await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
    assert.match(text, /does not hold a whole model for llama\.cpp[^]*a \.gguf file is missing/);
    assert.match(text, /Nobody may read s3:\/\/berth-demo-weights\//);
    assert.match(text, /"ml\.g4dn\.xlarge for endpoint usage" is 0[^]*servicequotas/);
  });

  it("is refused for a name that SageMaker does not take", async () => {
    const component = JSON.stringify([{ name: "s".repeat(30), model: "demo-llama-60m" }]);
    assert.match(
      await local.settings("components", `components=${component}`),
      /A component's name "\S+" has 6\d characters\.\s+SageMaker takes 63/,
    );
  });

  it("names its image by the digest that a refresh read, and says when the tag has moved", async () => {
    await local.settings("realtime");
    assert.match(
      await local.berth("plan"),
      /image +763\d+\S+llama-cpp:\S+, by its tag: "berth catalogue refresh" reads the digest/,
    );
    assert.match(
      await local.berth("catalogue", "refresh", "--region", "us-east-1"),
      /image llama-cpp:server-sagemaker-cuda-v1\.0 in us-east-1: sha256:\w{12} new/,
    );
    assert.match(
      await local.berth("plan"),
      /image +\S+@sha256:\w{64}, which is server-sagemaker-cuda-v1\.0 of 20/,
    );
    await local.fault({ kind: "image-moved", key: "llama-cpp:" });
    assert.match(
      await local.berth("preview"),
      /llama-cpp:\S+ names sha256:\w{64} now; what it was on [^]*catalogue refresh --env/,
    );
  });
});
