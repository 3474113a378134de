import assert from "node:assert/strict";
import { CloudWatchLogsClient, GetLogEventsCommand } from "@aws-sdk/client-cloudwatch-logs";
import { DescribeLogStreamsCommand } from "@aws-sdk/client-cloudwatch-logs";
import {
  ApplicationAutoScalingClient,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from "@aws-sdk/client-application-auto-scaling";
import { CloudWatchClient, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import {
  InvokeEndpointAsyncCommand,
  InvokeEndpointCommand,
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { readAsyncQueue } from "../../../scripts/adapters/endpoint/async-queue.ts";
import { settingsFor, until } from "./account.ts";

const image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/fixture:1";
const container = new URL("serving-container.mjs", import.meta.url).pathname;

describe("SageMaker endpoints of the cloud", () => {
  let cloud: Cloud;
  let client: sagemaker.SageMakerClient;
  let runtime: SageMakerRuntimeClient;

  before(async () => {
    const servingImages = [
      { repository: "fixture", command: [process.execPath, container] as const },
    ];
    cloud = await startCloud({ tier: "none", servingImages });
    client = new sagemaker.SageMakerClient(settingsFor(cloud));
    runtime = new SageMakerRuntimeClient(settingsFor(cloud));
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: "weights" }));
    for (const name of ["config.json", "model.gguf"]) {
      await s3.send(
        new PutObjectCommand({ Bucket: "weights", Key: `tiny/${name}`, Body: "of the model" }),
      );
    }
  });

  after(async () => {
    await cloud.stop();
  });

  afterEach(() => {
    cloud.clearFaults();
  });

  interface ModelChange {
    readonly Environment?: Record<string, string>;
    readonly Image?: string;
    readonly S3Uri?: string;
  }

  async function makeModel(name: string, change: ModelChange = {}): Promise<void> {
    const { S3Uri = "s3://weights/tiny/", Image = image, Environment = {} } = change;
    await client.send(
      new sagemaker.CreateModelCommand({
        ModelName: name,
        ExecutionRoleArn: "arn:aws:iam::123456789012:role/serve",
        PrimaryContainer: {
          Image,
          Environment,
          ModelDataSource: {
            S3DataSource: { S3Uri, S3DataType: "S3Prefix", CompressionType: "None" },
          },
        },
      }),
    );
    await client.send(
      new sagemaker.CreateEndpointConfigCommand({
        EndpointConfigName: name,
        ProductionVariants: [
          {
            VariantName: "AllTraffic",
            ModelName: name,
            InstanceType: "ml.g5.xlarge",
            InitialInstanceCount: 1,
            ContainerStartupHealthCheckTimeoutInSeconds: 600,
          },
        ],
      }),
    );
  }

  async function make(name: string, change: ModelChange = {}): Promise<void> {
    await makeModel(name, change);
    await client.send(
      new sagemaker.CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }),
    );
  }

  function describeEndpoint(EndpointName: string) {
    return client.send(new sagemaker.DescribeEndpointCommand({ EndpointName }));
  }

  async function untilStatus(name: string, status: string): Promise<void> {
    await until(async () => (await describeEndpoint(name)).EndpointStatus === status);
  }

  async function ask(name: string, body: object): Promise<string> {
    const answer = await runtime.send(
      new InvokeEndpointCommand({
        EndpointName: name,
        ContentType: "application/json",
        Body: JSON.stringify(body),
      }),
    );
    return Buffer.from(answer.Body).toString();
  }

  async function logOf(name: string): Promise<string> {
    const logs = new CloudWatchLogsClient(settingsFor(cloud));
    const logGroupName = `/aws/sagemaker/Endpoints/${name}`;
    const { logStreams = [] } = await logs.send(new DescribeLogStreamsCommand({ logGroupName }));
    const lines: string[] = [];
    for (const { logStreamName } of logStreams) {
      const { events } = await logs.send(new GetLogEventsCommand({ logGroupName, logStreamName }));
      lines.push(...(events ?? []).map(({ message = "" }) => message));
    }
    return lines.join("\n");
  }

  it("goes from Creating to InService, answers from the container, and is gone after Deleting", async () => {
    await make("serves", { Environment: { GREETING: "hello" } });
    assert.equal((await describeEndpoint("serves")).EndpointStatus, "Creating");
    await assert.rejects(ask("serves", { prompt: "too soon" }), { name: "ValidationError" });
    await untilStatus("serves", "InService");
    assert.match(await ask("serves", { prompt: "you" }), /hello: you/);
    await assert.rejects(
      ask("serves", { wrong: true }),
      (error: { name: string; OriginalStatusCode?: number; message: string }) =>
        error.name === "ModelError" &&
        error.OriginalStatusCode === 400 &&
        error.message.includes("prompt is missing"),
    );
    await until(async () => (await logOf("serves")).includes("with config.json model.gguf"));
    await client.send(new sagemaker.DeleteEndpointCommand({ EndpointName: "serves" }));
    await until(async () =>
      describeEndpoint("serves").then(
        ({ EndpointStatus }) => {
          assert.equal(EndpointStatus, "Deleting");
          return false;
        },
        () => true,
      ),
    );
    await assert.rejects(ask("serves", { prompt: "late" }), { name: "ValidationError" });
  });

  it("streams an answer part by part", async () => {
    await make("streams");
    await untilStatus("streams", "InService");
    const answer = await runtime.send(
      new InvokeEndpointWithResponseStreamCommand({
        EndpointName: "streams",
        ContentType: "application/json",
        Body: JSON.stringify({ prompt: "one two three", stream: true }),
      }),
    );
    const parts: string[] = [];
    for await (const { PayloadPart } of answer.Body ?? []) {
      parts.push(Buffer.from(PayloadPart?.Bytes ?? []).toString());
    }
    assert.ok(parts.length > 1, "in parts");
    assert.match(parts.join(""), /"two "[\s\S]*"three "[\s\S]*\[DONE\]/);
  });

  it("fails as the real one does: no capacity, no quota, no image, no data, a name too long", async () => {
    cloud.setFault({
      kind: "insufficient-capacity",
      service: "sagemaker",
      instanceType: "ml.g5.xlarge",
    });
    await make("nowhere");
    await untilStatus("nowhere", "Failed");
    const { FailureReason = "" } = await describeEndpoint("nowhere");
    assert.match(FailureReason, /InsufficientInstanceCapacity/);
    cloud.clearFaults();
    cloud.setFault({ kind: "quota", service: "sagemaker", instanceType: "ml.g5.xlarge" });
    await assert.rejects(make("limited"), {
      name: "ResourceLimitExceeded",
      message: /'ml\.g5\.xlarge for endpoint usage' is 0 Instances/,
    });
    const Image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/nobody:1";
    await assert.rejects(makeModel("unknown", { Image }), /Requested image .*nobody:1 not found/);
    await assert.rejects(
      makeModel("empty", { S3Uri: "s3://weights/other/" }),
      /Could not find model data/,
    );
    await assert.rejects(makeModel("n".repeat(64)), { name: "ValidationException" });
  });

  it("fails when the container ends or never gets well, with its words in the log", async () => {
    await make("crashes", { Environment: { FIXTURE: "crash" } });
    await untilStatus("crashes", "Failed");
    const { FailureReason = "" } = await describeEndpoint("crashes");
    assert.match(FailureReason, /AllTraffic did not pass the ping health check/);
    assert.match(await logOf("crashes"), /CUDA out of memory/);
    await make("never", { Environment: { FIXTURE: "never" } });
    await until(async () => (await logOf("never").catch(() => "")).includes("starting never"));
    assert.equal((await describeEndpoint("never")).EndpointStatus, "Creating");
    await cloud.advanceClock(601);
    await untilStatus("never", "Failed");
  });

  it("can be deleted while it is Creating", async () => {
    await make("unfinished", { Environment: { FIXTURE: "never" } });
    await client.send(new sagemaker.DeleteEndpointCommand({ EndpointName: "unfinished" }));
    await until(async () =>
      describeEndpoint("unfinished").then(
        () => false,
        () => true,
      ),
    );
  });

  it("moves to a new configuration, and goes back to the old one when the new one fails", async () => {
    await make("moves", { Environment: { GREETING: "old" } });
    await untilStatus("moves", "InService");
    const update = async (EndpointConfigName: string): Promise<void> => {
      await client.send(
        new sagemaker.UpdateEndpointCommand({ EndpointName: "moves", EndpointConfigName }),
      );
    };
    await makeModel("next", { Environment: { GREETING: "new" } });
    await makeModel("broken", { Environment: { FIXTURE: "crash" } });
    await update("next");
    await assert.rejects(update("broken"), /Cannot update in-progress endpoint/);
    assert.match(await ask("moves", { prompt: "meanwhile" }), /old: meanwhile/);
    await untilStatus("moves", "InService");
    assert.match(await ask("moves", { prompt: "now" }), /new: now/);
    await update("broken");
    await untilStatus("moves", "InService");
    const after = await describeEndpoint("moves");
    assert.equal(after.EndpointConfigName, "next");
    assert.match(after.FailureReason ?? "", /ping health check/);
    assert.match(await ask("moves", { prompt: "still" }), /new: still/);
  });

  it("queues requests in S3, sleeps when nothing waits, and wakes only by an alarm", async () => {
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await makeModel("queued");
    await client.send(
      new sagemaker.CreateEndpointConfigCommand({
        EndpointConfigName: "queued-async",
        ProductionVariants: [
          {
            VariantName: "AllTraffic",
            ModelName: "queued",
            InstanceType: "ml.g5.xlarge",
            InitialInstanceCount: 1,
          },
        ],
        AsyncInferenceConfig: { OutputConfig: { S3OutputPath: "s3://weights/answers/" } },
      }),
    );
    await client.send(
      new sagemaker.CreateEndpointCommand({
        EndpointName: "queued",
        EndpointConfigName: "queued-async",
      }),
    );
    await untilStatus("queued", "InService");
    await assert.rejects(ask("queued", { prompt: "now" }), /takes InvokeEndpointAsync only/);

    const send = async (prompt: string): Promise<string> => {
      const Key = `requests/${prompt}`;
      const Body = JSON.stringify({ prompt });
      await s3.send(new PutObjectCommand({ Bucket: "weights", Key, Body }));
      const { OutputLocation = "" } = await runtime.send(
        new InvokeEndpointAsyncCommand({
          EndpointName: "queued",
          InputLocation: `s3://weights/${Key}`,
        }),
      );
      return OutputLocation.slice("s3://weights/".length);
    };
    const answerAt = (Key: string) =>
      s3.send(new GetObjectCommand({ Bucket: "weights", Key })).then(
        ({ Body }) => Body?.transformToString(),
        () => undefined,
      );
    const first = await send("first");
    await until(async () => (await answerAt(first))?.includes("echo: first") === true);

    const scaling = new ApplicationAutoScalingClient(settingsFor(cloud));
    const target = {
      ServiceNamespace: "sagemaker",
      ResourceId: "endpoint/queued/variant/AllTraffic",
      ScalableDimension: "sagemaker:variant:DesiredInstanceCount",
    } as const;
    await scaling.send(
      new RegisterScalableTargetCommand({ ...target, MinCapacity: 0, MaxCapacity: 1 }),
    );
    const TargetTrackingScalingPolicyConfiguration = { TargetValue: 2, ScaleInCooldown: 600 };
    await scaling.send(
      new PutScalingPolicyCommand({
        ...target,
        PolicyName: "load",
        PolicyType: "TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration,
      }),
    );
    const instances = async () =>
      (await describeEndpoint("queued")).ProductionVariants?.[0]?.CurrentInstanceCount;
    await until(async () => {
      await cloud.advanceClock(601);
      return (await instances()) === 0;
    });
    const second = await send("second");
    await cloud.advanceClock(600);
    const scope = { stack: "dev", region: "us-east-1", client: settingsFor(cloud) };
    await until(async () => {
      const queue = await readAsyncQueue(scope, "queued", cloud.now());
      if (queue?.requests !== 1) return false;
      assert.ok((queue.oldestSeconds ?? 0) >= 600, JSON.stringify(queue));
      return true;
    });
    assert.equal(await readAsyncQueue(scope, "another", cloud.now()), undefined);
    assert.equal(await answerAt(second), undefined, "nothing wakes it");

    const { PolicyARN = "" } = await scaling.send(
      new PutScalingPolicyCommand({ ...target, PolicyName: "wake-up", PolicyType: "StepScaling" }),
    );
    await new CloudWatchClient(settingsFor(cloud)).send(
      new PutMetricAlarmCommand({
        AlarmName: "waiting",
        Namespace: "AWS/SageMaker",
        MetricName: "HasBacklogWithoutCapacity",
        Dimensions: [{ Name: "EndpointName", Value: "queued" }],
        ComparisonOperator: "GreaterThanOrEqualToThreshold",
        EvaluationPeriods: 1,
        Period: 60,
        Statistic: "Average",
        Threshold: 1,
        AlarmActions: [PolicyARN],
      }),
    );
    await until(async () => (await answerAt(second))?.includes("echo: second") === true);
    assert.equal(await instances(), 1);
  });
});
