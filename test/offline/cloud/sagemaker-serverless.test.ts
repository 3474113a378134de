import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CloudWatchLogsClient, FilterLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { CreateModelCommand } from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { settingsFor } from "./account.ts";
import { Hosting, servingContainer } from "./hosting.ts";

/** What `tar -czf` makes of a model of one file. */
function archiveOf(content: string): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "berth-archive-"));
  try {
    writeFileSync(join(folder, "model.gguf"), content);
    execFileSync("tar", ["-czf", join(folder, "a.tar.gz"), "-C", folder, "model.gguf"]);
    return readFileSync(join(folder, "a.tar.gz"));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("serverless endpoints of the cloud", () => {
  let cloud: Cloud;
  let hosting: Hosting;
  let runtime: SageMakerRuntimeClient;
  const serverless = (change: object = {}) => ({
    InstanceType: undefined,
    InitialInstanceCount: undefined,
    ServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 2, ...change },
  });

  before(async () => {
    const servingImages = [{ repository: "fixture", command: servingContainer }];
    cloud = await startCloud({ tier: "none", servingImages });
    hosting = new Hosting(cloud);
    runtime = new SageMakerRuntimeClient({ ...settingsFor(cloud), maxAttempts: 1 });
    await hosting.makeWeights("weights");
    const Body = archiveOf("of the archive");
    await hosting.s3.send(new PutObjectCommand({ Bucket: "weights", Key: "a.tar.gz", Body }));
    await makeModel("small");
    await hosting.makeConfig("small", serverless());
    await hosting.create("small");
    await hosting.untilStatus("small", "InService");
  });
  after(async () => {
    runtime.destroy();
    await cloud.stop();
  });

  const makeModel = (ModelName: string, key = "a.tar.gz") =>
    hosting.client.send(
      new CreateModelCommand({
        ModelName,
        ExecutionRoleArn: "arn:aws:iam::123456789012:role/serve",
        PrimaryContainer: {
          Image: "123456789012.dkr.ecr.us-east-1.amazonaws.com/fixture:1",
          ModelDataUrl: `s3://weights/${key}`,
        },
      }),
    );
  const ask = async (prompt: string) => {
    const Body = JSON.stringify({ prompt });
    const asked = { EndpointName: "small", ContentType: "application/json", Body };
    const answer = await runtime.send(new InvokeEndpointCommand(asked));
    return Buffer.from(answer.Body).toString();
  };
  const logged = async () => {
    const client = new CloudWatchLogsClient(settingsFor(cloud));
    const logGroupName = "/aws/sagemaker/Endpoints/small";
    const { events = [] } = await client.send(new FilterLogEventsCommand({ logGroupName }));
    client.destroy();
    return events.map(({ message = "" }) => message);
  };
  const starts = async () => (await logged()).filter((line) => line.includes("model.gguf")).length;

  it("unpacks the archive, has no instances, and starts anew after a while without requests", async () => {
    const { ProductionVariants: [variant] = [] } = await hosting.describe("small");
    assert.equal(variant?.CurrentInstanceCount, undefined);
    assert.equal(variant?.CurrentServerlessConfig?.MemorySizeInMB, 1024);
    assert.match(await ask("hello"), /echo: hello/);
    assert.match(await ask("again"), /echo: again/);
    assert.equal(await starts(), 1, "the container that proved that it is well is warm");
    await cloud.advanceClock(400);
    assert.match(await ask("later"), /echo: later/);
    assert.equal(await starts(), 2);
  });

  it("answers as many at once as it may, each from a container of its own, and throttles the next", async () => {
    const before = await starts();
    const two = [ask("wait"), ask("wait")];
    await new Promise((resolve) => setTimeout(resolve, 700));
    await assert.rejects(ask("third"), { name: "ThrottlingException" });
    assert.equal((await Promise.all(two)).length, 2);
    assert.equal(await starts(), before + 1);
    assert.match(await ask("after"), /echo: after/);
  });

  it("ends a container that takes more than its memory, and answers the next request from another", async () => {
    await assert.rejects(ask("eat"), { name: "ModelError" });
    assert.match((await logged()).join("\n"), /Out of memory: the container took \d+ of 1024 MiB/);
    assert.match(await ask("well"), /echo: well/);
    await assert.rejects(ask("x".repeat(5 * 1024 ** 2)), /oversize body/);
  });

  it("refuses what SageMaker excludes", async () => {
    await assert.rejects(makeModel("none", "b.tar.gz"), /Could not find model data/);
    const capture = {
      EnableCapture: true,
      InitialSamplingPercentage: 1,
      DestinationS3Uri: "s3://weights/c/",
      CaptureOptions: [],
    };
    const refused = (change: object, more: object = {}) =>
      hosting.makeConfig("no", { ...serverless(change), ModelName: "small" }, more);
    await assert.rejects(refused({}, { DataCaptureConfig: capture }), /not supported/);
    await assert.rejects(refused({ ProvisionedConcurrency: 3 }), /at most as much/);
    await hosting.makeConfig("many", { ...serverless({ MaxConcurrency: 11 }), ModelName: "small" });
    await assert.rejects(hosting.create("many"), /Maximum total concurrency.* is 10/);
    await hosting.makeConfig("instance", { ModelName: "small" });
    await hosting.create("instance");
    await hosting.untilStatus("instance", "InService");
    await assert.rejects(hosting.update("instance", "small"), /instance-based/);
  });
});
