import assert from "node:assert/strict";
import {
  ApplicationAutoScalingClient,
  PutScalingPolicyCommand,
  RegisterScalableTargetCommand,
} from "@aws-sdk/client-application-auto-scaling";
import { CloudWatchClient, PutMetricAlarmCommand } from "@aws-sdk/client-cloudwatch";
import { CreateInferenceComponentCommand } from "@aws-sdk/client-sagemaker";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { endpointProtection } from "../../scripts/adapters/endpoint/endpoint-layers.ts";
import { openEndpointModel } from "../../scripts/adapters/endpoint/endpoint-model.ts";
import { makeReceipt } from "../../scripts/adapters/receipt/receipt.ts";
import { taggedThings } from "../../scripts/adapters/tagged-things.ts";
import { modelClientContract } from "../contracts/model-client.ts";
import { settingsFor, until } from "../offline/cloud/account.ts";
import type { Hosting } from "../offline/cloud/hosting.ts";
import { startHostingPlugin, type HostingPlugin } from "./support/hosting-plugin.ts";
import type { PluginClient } from "./support/plugin-client.ts";

const region = "us-east-1";
const tags = { "berth:stack": "dev", "berth:run-id": "0123456789ab", "berth:protect": "false" };

describe("the provider's inference components", () => {
  let started: HostingPlugin;
  let cloud: Cloud;
  let plugin: PluginClient;
  let hosting: Hosting;
  let configName: string;

  before(async () => {
    started = await startHostingPlugin({
      good: {},
      better: { GREETING: "better" },
      bad: { FIXTURE: "crash" },
      never: { FIXTURE: "never" },
    });
    ({ cloud, plugin, hosting } = started);
    const made = await plugin.create("HostedConfiguration", configuration());
    configName = made.id;
    await plugin.create("HostedEndpoint", { endpointName: "dev-e", configName, region, tags });
  });
  after(() => started.stop());

  function configuration(change: object = {}) {
    const variant = {
      variantName: "AllTraffic",
      instanceType: "ml.g6.xlarge",
      initialInstanceCount: 1,
      managedInstanceScaling: { status: "ENABLED", minInstanceCount: 0, maxInstanceCount: 1 },
    };
    const executionRoleArn = "arn:aws:iam::123456789012:role/serve";
    return {
      region,
      namePrefix: "dev-config",
      configuration: { productionVariants: [variant], executionRoleArn, tags },
      instanceTypes: ["ml.g6.xlarge"],
      provisionTimeoutSeconds: 900,
      ...change,
    };
  }

  const component = (componentName: string, modelName: string, change: object = {}) => ({
    ...{ componentName, modelName, configName, region, tags },
    ...{ endpointName: "dev-e", variantName: "AllTraffic", copies: 1, accelerators: 1 },
    ...{ memoryMiB: 1024, downloadTimeoutSeconds: 600, startupTimeoutSeconds: 600 },
    ...change,
  });

  const answer = (componentName: string, modelName: string) =>
    plugin.create("EndpointAnswer", {
      ...{ endpointName: "dev-e", configName, region, realtime: true, requestForm: "completion" },
      ...{ state: "InService", component: { name: componentName, modelName, state: "InService" } },
    });

  const remove = (componentName: string, state: Readonly<Record<string, unknown>>) =>
    plugin.delete("InferenceComponent", componentName, state);

  it("says what to do where a region has no endpoints of no instances", async () => {
    const there = configuration({ region: "eu-west-3" });
    await assert.rejects(plugin.create("HostedConfiguration", there), /berth:minInstances to 1/);
  });

  it("brings a model, proves it, moves to another, and stays when the next one does not get well", async () => {
    const made = await plugin.create("InferenceComponent", component("dev-moves", "good"));
    assert.equal(made.outputs["state"], "InService");
    assert.match(String((await answer("dev-moves", "good")).outputs["answeredAt"]), /^\d{4}-/);
    const better = component("dev-moves", "better");
    const moved = await plugin.update("InferenceComponent", made.id, made.outputs, better);
    assert.equal(moved["runningModel"], "better");
    const bad = component("dev-moves", "bad");
    const back = await plugin.update("InferenceComponent", made.id, moved, bad);
    assert.equal(back["runningModel"], "better");
    await assert.rejects(answer("dev-moves", "bad"), /serves better, since bad failed: .*ping/);
    assert.equal((await plugin.diff("InferenceComponent", back, bad)).changes, true);
    await remove("dev-moves", made.outputs);
    assert.equal(await plugin.read("InferenceComponent", made.id, made.outputs), undefined);
  });

  it("records a failure with its reason and its log, so that it can be removed", async () => {
    const wide = component("dev-wide", "good", { accelerators: 4 });
    const failed = await plugin.create("InferenceComponent", wide);
    assert.equal(failed.outputs["state"], "Failed");
    await assert.rejects(answer("dev-wide", "good"), /not enough hardware resources/);
    const anew = await plugin.update(
      "InferenceComponent",
      failed.id,
      failed.outputs,
      component("dev-wide", "bad"),
    );
    assert.equal(anew["state"], "Failed");
    await assert.rejects(answer("dev-wide", "bad"), /log: CUDA out of memory/);
    await remove("dev-wide", anew);
  });

  it("touches no component of another deployment", async () => {
    const cut = plugin.create("InferenceComponent", component("dev-own", "good"));
    const again = await plugin.create("InferenceComponent", component("dev-own", "good"));
    assert.equal(again.outputs["state"], "InService", "a creation that was cut off goes on");
    await cut;
    const other = { tags: { ...tags, "berth:run-id": "ffffffffffff" } };
    const taken = component("dev-own", "good", other);
    await assert.rejects(plugin.create("InferenceComponent", taken), /of another deployment/);
    await remove("dev-own", component("dev-own", "good"));
  });

  it("is refused while it starts, goes on after its endpoint is gone, and the receipt names it", async () => {
    await plugin.create("HostedEndpoint", { endpointName: "dev-f", configName, region, tags });
    await hosting.client.send(
      new CreateInferenceComponentCommand({
        InferenceComponentName: "dev-f",
        EndpointName: "dev-f",
        Specification: {
          ModelName: "never",
          ComputeResourceRequirements: { MinMemoryRequiredInMb: 1024 },
        },
        RuntimeConfig: { CopyCount: 1 },
        Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
      }),
    );
    const scope = { stack: "dev", region, client: settingsFor(cloud) };
    const left = async () =>
      (await makeReceipt(scope, { attempts: 1, pauseMs: 0 })).left.map(({ kind, id }) => [
        kind,
        id,
      ]);
    const removal = remove("dev-f", component("dev-f", "never", { endpointName: "dev-f" }));
    await plugin.delete("HostedEndpoint", "dev-f", {
      ...{ endpointName: "dev-f", configName, region, tags },
    });
    await removal;
    assert.ok(!(await left()).some(([kind]) => kind === "inference-component"));
    await plugin.create("InferenceComponent", component("dev-left", "good"));
    assert.deepEqual(
      (await left()).filter(([kind]) => kind === "inference-component"),
      [["inference-component", "dev-left"]],
    );
    const indexed = await taggedThings(settingsFor(cloud), "sagemaker:inference-component");
    const endpointArn = `arn:aws:sagemaker:${region}:123456789012:endpoint/dev-e`;
    await endpointProtection(scope, endpointArn).write("true");
    const [protectedOne] = await taggedThings(settingsFor(cloud), "sagemaker:inference-component");
    assert.equal(protectedOne?.tags["berth:protect"], "true", "protected with its endpoint");
    assert.deepEqual(
      indexed.map(({ arn, tags: has }) => [arn.split("/").at(-1), has["berth:stack"]]),
      [["dev-left", "dev"]],
      "the sweep and an audit find it there",
    );
    await remove("dev-left", component("dev-left", "good"));
  });

  describe("whose copies come down to none", () => {
    const target = {
      ServiceNamespace: "sagemaker",
      ResourceId: "inference-component/dev-sleeps",
      ScalableDimension: "sagemaker:inference-component:DesiredCopyCount",
    } as const;

    before(async () => {
      await plugin.create("InferenceComponent", component("dev-sleeps", "good"));
      const scaling = new ApplicationAutoScalingClient(settingsFor(cloud));
      await scaling.send(
        new RegisterScalableTargetCommand({ ...target, MinCapacity: 0, MaxCapacity: 1 }),
      );
      await scaling.send(
        new PutScalingPolicyCommand({
          ...{ ...target, PolicyName: "load", PolicyType: "TargetTrackingScaling" },
          TargetTrackingScalingPolicyConfiguration: {
            TargetValue: 4,
            PredefinedMetricSpecification: {
              PredefinedMetricType:
                "SageMakerInferenceComponentConcurrentRequestsPerCopyHighResolution",
            },
            ScaleInCooldown: 600,
          },
        }),
      );
      const { PolicyARN = "" } = await scaling.send(
        new PutScalingPolicyCommand({
          ...{ ...target, PolicyName: "wake", PolicyType: "StepScaling" },
          StepScalingPolicyConfiguration: { AdjustmentType: "ChangeInCapacity" },
        }),
      );
      await new CloudWatchClient(settingsFor(cloud)).send(
        new PutMetricAlarmCommand({
          AlarmName: "wake",
          Namespace: "AWS/SageMaker",
          MetricName: "NoCapacityInvocationFailures",
          Dimensions: [{ Name: "InferenceComponentName", Value: "dev-sleeps" }],
          ...{ Statistic: "Sum", Period: 60, EvaluationPeriods: 1, Threshold: 1 },
          ComparisonOperator: "GreaterThanOrEqualToThreshold",
          AlarmActions: [PolicyARN],
        }),
      );
    });

    const instances = async () =>
      (await hosting.describe("dev-e")).ProductionVariants?.[0]?.CurrentInstanceCount;
    const asleep = async () => {
      await cloud.advanceClock(601);
      await until(async () => (await instances()) === 0);
    };

    it("is not asked by an up, and says so", async () => {
      await asleep();
      const { outputs } = await answer("dev-sleeps", "good");
      assert.match(String(outputs["answeredAt"]), /no copy now/);
      assert.equal(await instances(), 0);
    });

    const told: string[] = [];
    modelClientContract({
      name: "an endpoint whose copies had come down to none",
      streams: true,
      open: async () => {
        await asleep();
        return openEndpointModel({
          ...{ endpointName: "dev-e", componentName: "dev-sleeps", form: "completion" },
          client: settingsFor(cloud),
          tell: (line) => told.push(line),
        });
      },
      close: () => {
        assert.equal(told.length, 1, told.join("\n"));
        assert.match(told[0]!, /this request starts one, which takes minutes/);
        return Promise.resolve();
      },
    });
  });
});
