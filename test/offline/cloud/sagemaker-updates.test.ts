import assert from "node:assert/strict";
import {
  CloudWatchClient,
  DescribeAlarmsCommand,
  PutMetricAlarmCommand,
  SetAlarmStateCommand,
} from "@aws-sdk/client-cloudwatch";
import { GetObjectCommand, ListObjectsV2Command } from "@aws-sdk/client-s3";
import type { DeploymentConfig } from "@aws-sdk/client-sagemaker";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import { settingsFor, until } from "./account.ts";
import { Hosting, servingContainer } from "./hosting.ts";

describe("updates of the cloud's SageMaker endpoints", () => {
  let cloud: Cloud;
  let hosting: Hosting;
  let watch: CloudWatchClient;

  before(async () => {
    const servingImages = [{ repository: "fixture", command: servingContainer }];
    cloud = await startCloud({ tier: "none", servingImages });
    hosting = new Hosting(cloud);
    watch = new CloudWatchClient(settingsFor(cloud));
    await hosting.makeWeights("weights");
    for (const [name, environment] of Object.entries({
      old: { GREETING: "old" },
      new: { GREETING: "new" },
      errs: { FIXTURE: "error" },
    })) {
      await hosting.makeModel(name, environment);
      await hosting.makeConfig(name, { InitialInstanceCount: 2 });
    }
    for (const AlarmName of ["errors", "by-hand"]) {
      await watch.send(
        new PutMetricAlarmCommand({
          AlarmName,
          Namespace: "AWS/SageMaker",
          MetricName: AlarmName === "errors" ? "Invocation5XXErrors" : "ModelLatency",
          Dimensions: [
            { Name: "EndpointName", Value: "guarded" },
            { Name: "VariantName", Value: "AllTraffic" },
          ],
          Statistic: "Average",
          Period: 60,
          EvaluationPeriods: 1,
          Threshold: 0.05,
          ComparisonOperator: "GreaterThanThreshold",
        }),
      );
    }
    await hosting.create("guarded", "old");
    await hosting.untilStatus("guarded", "InService");
  });
  after(() => cloud.stop());

  const alarms = { Alarms: [{ AlarmName: "errors" }, { AlarmName: "by-hand" }] };
  const canary: DeploymentConfig = {
    BlueGreenUpdatePolicy: {
      TrafficRoutingConfiguration: {
        Type: "CANARY",
        WaitIntervalInSeconds: 300,
        CanarySize: { Type: "INSTANCE_COUNT", Value: 1 },
      },
      TerminationWaitInSeconds: 0,
    },
    AutoRollbackConfiguration: alarms,
  };

  async function answers(count: number): Promise<string[]> {
    const given: string[] = [];
    for (let index = 0; index < count; index += 1) {
      given.push(await hosting.ask("guarded", "x").catch((error: unknown) => String(error)));
    }
    return given.map((text) => /old|new|ModelError/.exec(text)?.[0] ?? text);
  }

  it("goes back when the new containers' errors set an alarm off, and says which", async () => {
    await hosting.update("guarded", "errs", canary);
    await until(async () => (await answers(4)).includes("ModelError"));
    await hosting.untilStatus("guarded", "InService");
    const { EndpointConfigName, FailureReason = "" } = await hosting.describe("guarded");
    assert.equal(EndpointConfigName, "old");
    assert.match(FailureReason, /rolled back, since an alarm .* went off: errors/);
    assert.deepEqual(await answers(4), ["old", "old", "old", "old"]);
    const { MetricAlarms = [] } = await watch.send(
      new DescribeAlarmsCommand({ AlarmNames: ["errors"] }),
    );
    assert.equal(MetricAlarms[0]?.StateValue, "ALARM");
  });

  it("does not begin to move while an alarm is off", async () => {
    await hosting.update("guarded", "new", canary);
    await hosting.untilStatus("guarded", "InService");
    assert.equal((await hosting.describe("guarded")).EndpointConfigName, "old");
    const StateValue = "OK";
    await watch.send(
      new SetAlarmStateCommand({ AlarmName: "errors", StateValue, StateReason: "looked at" }),
    );
  });

  it("sends a canary's share of the requests to the new containers, and the rest after the wait", async () => {
    await hosting.update("guarded", "new", canary);
    await until(async () => (await answers(2)).includes("new"));
    const half = await answers(8);
    assert.equal(half.filter((text) => text === "new").length, 4);
    assert.equal((await hosting.describe("guarded")).EndpointStatus, "Updating");
    await cloud.advanceClock(301);
    await until(async () => (await answers(4)).every((text) => text === "new"));
    await cloud.advanceClock(301);
    await hosting.untilStatus("guarded", "InService");
    const { EndpointConfigName, LastDeploymentConfig } = await hosting.describe("guarded");
    assert.equal(EndpointConfigName, "new");
    assert.deepEqual(LastDeploymentConfig, canary);
  });

  it("takes an alarm of one's own, in the middle of a rolling update", async () => {
    await hosting.update("guarded", "old", {
      RollingUpdatePolicy: {
        MaximumBatchSize: { Type: "CAPACITY_PERCENT", Value: 50 },
        WaitIntervalInSeconds: 60,
      },
      AutoRollbackConfiguration: alarms,
    });
    await until(async () => (await answers(2)).includes("old"));
    await cloud.advanceClock(61);
    await watch.send(
      new SetAlarmStateCommand({
        AlarmName: "by-hand",
        StateValue: "ALARM",
        StateReason: "slow",
      }),
    );
    await hosting.untilStatus("guarded", "InService");
    const { EndpointConfigName, FailureReason = "" } = await hosting.describe("guarded");
    assert.equal(EndpointConfigName, "new");
    assert.match(FailureReason, /by-hand/);
  });

  it("refuses steps that are too large", async () => {
    const policy = canary.BlueGreenUpdatePolicy!;
    const CanarySize = { Type: "INSTANCE_COUNT", Value: 2 } as const;
    const routing = { ...policy.TrafficRoutingConfiguration!, CanarySize };
    await assert.rejects(
      hosting.update("guarded", "old", {
        BlueGreenUpdatePolicy: { TrafficRoutingConfiguration: routing },
      }),
      /not between 0 and 50 percent of 2 instances/,
    );
  });

  it("can be deleted in the middle of an update", async () => {
    await hosting.makeConfig("doomed", { ModelName: "old" });
    await hosting.create("doomed");
    await hosting.untilStatus("doomed", "InService");
    await hosting.update("doomed", "new", {
      BlueGreenUpdatePolicy: {
        TrafficRoutingConfiguration: { Type: "ALL_AT_ONCE", WaitIntervalInSeconds: 0 },
        TerminationWaitInSeconds: 600,
      },
    });
    const { DeleteEndpointCommand } = await import("@aws-sdk/client-sagemaker");
    await hosting.client.send(new DeleteEndpointCommand({ EndpointName: "doomed" }));
    await until(() =>
      hosting.describe("doomed").then(
        () => false,
        () => true,
      ),
    );
  });

  it("keeps the asked share of requests and answers", async () => {
    const DataCaptureConfig = {
      EnableCapture: true,
      InitialSamplingPercentage: 50,
      DestinationS3Uri: "s3://weights/captures/",
      CaptureOptions: [{ CaptureMode: "Input" }, { CaptureMode: "Output" }],
    } as const;
    await hosting.makeConfig(
      "captured",
      { ModelName: "old" },
      {
        DataCaptureConfig: {
          ...DataCaptureConfig,
          CaptureOptions: [...DataCaptureConfig.CaptureOptions],
        },
      },
    );
    await hosting.create("captured");
    await hosting.untilStatus("captured", "InService");
    for (const prompt of ["one", "two", "three", "four"]) await hosting.ask("captured", prompt);
    const Prefix = "captures/captured/AllTraffic/";
    const { Contents = [] } = await hosting.s3.send(
      new ListObjectsV2Command({ Bucket: "weights", Prefix }),
    );
    assert.equal(Contents.length, 2);
    const { Body } = await hosting.s3.send(
      new GetObjectCommand({ Bucket: "weights", Key: Contents[0]!.Key }),
    );
    const { captureData } = JSON.parse(await Body!.transformToString()) as {
      captureData: Record<"endpointInput" | "endpointOutput", { data: string }>;
    };
    const plain = (text: string) => Buffer.from(text, "base64").toString();
    assert.match(plain(captureData.endpointInput.data), /"prompt":"(two|four)"/);
    assert.match(plain(captureData.endpointOutput.data), /old: (two|four)/);
  });
});
