import assert from "node:assert/strict";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { ledgerOf, sumBy, totalUsd } from "../../../../components/cost/ledger.ts";
import { startCloud, type Cloud } from "../../../../offline/cloud/cloud.ts";
import { recordRuns } from "../../../../scripts/adapters/cost/run-records.ts";
import { settingsFor, until } from "../../../offline/cloud/account.ts";

const hourMs = 3_600_000;
const recordedUsd = 1.6;
const role = "arn:aws:iam::123456789012:role/serve";

describe("what endpoints cost, asked of an account", () => {
  let cloud: Cloud;
  const now = new Date(Math.floor(Date.now() / hourMs) * hourMs + hourMs / 2);

  before(async () => {
    cloud = await startCloud({ tier: "none" });
  });
  after(() => cloud.stop());

  it("counts the answers of a serverless endpoint, and the copies that share instances by their models", async () => {
    const client = new sagemaker.SageMakerClient(settingsFor(cloud));
    const cloudwatch = new CloudWatchClient(settingsFor(cloud));
    const put = (
      Namespace: string,
      MetricName: string,
      of: Record<string, string>,
      datum: object,
    ) =>
      cloudwatch.send(
        new PutMetricDataCommand({
          Namespace,
          MetricData: [
            {
              MetricName,
              Timestamp: new Date(Math.floor(now.getTime() / hourMs) * hourMs),
              Dimensions: Object.entries(of).map(([Name, Value]) => ({ Name, Value })),
              ...datum,
            },
          ],
        }),
      );
    const Image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:1";
    await client.send(
      new sagemaker.CreateModelCommand({
        ...{ ModelName: "dev-m", ExecutionRoleArn: role },
        PrimaryContainer: { Image },
      }),
    );
    const own = (run: string, model: string) => [
      { Key: "berth:stack", Value: "dev" },
      { Key: "berth:hourly-usd", Value: String(recordedUsd) },
      { Key: "berth:run-id", Value: run },
      { Key: "berth:model", Value: model },
    ];
    const make = async (name: string, variant: object, more: object = {}) => {
      const [EndpointConfigName, EndpointName] = [name, name];
      const ProductionVariants = [{ VariantName: "AllTraffic", ...variant }];
      await client.send(
        new sagemaker.CreateEndpointConfigCommand({
          EndpointConfigName,
          ProductionVariants,
          ...more,
        }),
      );
      const tagged = { EndpointName, EndpointConfigName, Tags: own(name, "first") };
      await client.send(new sagemaker.CreateEndpointCommand(tagged));
    };
    await make("small", {
      ModelName: "dev-m",
      ServerlessConfig: { MemorySizeInMB: 1024, MaxConcurrency: 2 },
    });
    const small = { EndpointName: "small", VariantName: "AllTraffic" };
    // Six minutes of answers are a tenth of a container's hour.
    await put("AWS/SageMaker", "ModelLatency", small, { Value: 360_000_000 });

    const InstanceType = "ml.g6.12xlarge";
    await make("shared", { InstanceType, InitialInstanceCount: 1 }, { ExecutionRoleArn: role });
    const isThere = async () => {
      const asked = new sagemaker.DescribeEndpointCommand({ EndpointName: "shared" });
      return (await client.send(asked)).EndpointStatus === "InService";
    };
    await until(isThere);
    await client.send(
      new sagemaker.CreateInferenceComponentCommand({
        ...{
          InferenceComponentName: "shared-b",
          EndpointName: "shared",
          VariantName: "AllTraffic",
        },
        Specification: {
          ModelName: "dev-m",
          ComputeResourceRequirements: {
            ...{ NumberOfAcceleratorDevicesRequired: 1, MinMemoryRequiredInMb: 1024 },
          },
        },
        RuntimeConfig: { CopyCount: 1 },
        Tags: own("shared", "second"),
      }),
    );
    const reports = { StatisticValues: { SampleCount: 30, Sum: 30, Minimum: 1, Maximum: 1 } };
    const shared = { EndpointName: "shared", VariantName: "AllTraffic" };
    await put("/aws/sagemaker/Endpoints", "CPUUtilization", shared, reports);
    const component = { InferenceComponentName: "shared-b" };
    const space = "/aws/sagemaker/InferenceComponents";
    await put(space, "CPUUtilizationNormalized", component, reports);

    const { runs, unanswered } = await recordRuns(settingsFor(cloud), "us-east-1", now);
    assert.deepEqual(unanswered, []);
    const of = (run: string) =>
      ledgerOf(
        runs.filter(({ runId: id }) => id === run),
        now,
      );
    // The tag's price is that of two containers.
    assert.equal(totalUsd(of("small")).toFixed(4), (recordedUsd / 2 / 10).toFixed(4));
    const models = Object.fromEntries(
      sumBy(of("shared"), "model").map((row) => [row.name, row.usd]),
    );
    assert.equal(models["second"]?.toFixed(4), (recordedUsd / 2 / 4).toFixed(4));
    assert.equal(models["(idle)"]?.toFixed(4), ((recordedUsd / 2) * 0.75).toFixed(4));
  });
});
