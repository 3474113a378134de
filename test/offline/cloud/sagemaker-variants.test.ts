import assert from "node:assert/strict";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import {
  DescribeEndpointConfigCommand,
  UpdateEndpointWeightsAndCapacitiesCommand,
} from "@aws-sdk/client-sagemaker";
import { InvokeEndpointCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { readEndpointState } from "../../../scripts/adapters/endpoint/endpoint-state.ts";
import { startHostingPlugin, type HostingPlugin } from "../../provider/support/hosting-plugin.ts";
import type { PluginClient } from "../../provider/support/plugin-client.ts";
import { settingsFor, until } from "./account.ts";
import type { Hosting } from "./hosting.ts";

describe("an endpoint of several variants", () => {
  let started: HostingPlugin;
  let hosting: Hosting;
  let plugin: PluginClient;
  let runtime: SageMakerRuntimeClient;
  const variants = ["AllTraffic", "other"];

  before(async () => {
    started = await startHostingPlugin({
      AllTraffic: { GREETING: "AllTraffic" },
      other: { GREETING: "other" },
      bad: { FIXTURE: "crash" },
    });
    ({ hosting, plugin } = started);
    runtime = new SageMakerRuntimeClient(settingsFor(started.cloud));
  });
  after(async () => {
    runtime.destroy();
    await started.stop();
  });

  const ask = async (TargetVariant?: string) => {
    const Body = JSON.stringify({ prompt: "hello" });
    const ContentType = "application/json";
    const command = { EndpointName: "ab", Body, ContentType, TargetVariant };
    const answer = await runtime.send(new InvokeEndpointCommand(command));
    const said = Buffer.from(answer.Body).toString();
    assert.ok(said.includes(`${answer.InvokedProductionVariant ?? ""}: hello`), said);
    return answer.InvokedProductionVariant;
  };
  const shares = async (count: number) => {
    const asked: (string | undefined)[] = [];
    for (let turn = 0; turn < count; turn += 1) asked.push(await ask());
    return variants.map((name) => asked.filter((each) => each === name).length);
  };
  const configuration = (initialWeights: readonly number[], models = variants) => ({
    region: "us-east-1",
    namePrefix: "ab",
    configuration: {
      productionVariants: models.map((modelName, index) => ({
        variantName: variants[index],
        modelName,
        instanceType: "ml.g5.xlarge",
        initialInstanceCount: index + 1,
        initialVariantWeight: 1,
      })),
      tags: { "berth:run-id": "0123456789ab" },
    },
    instanceTypes: ["ml.g5.xlarge"],
    provisionTimeoutSeconds: 900,
    initialWeights,
  });
  const endpoint = (configName: string, shareOfOther: number) => ({
    endpointName: "ab",
    configName,
    region: "us-east-1",
    tags: { "berth:run-id": "0123456789ab" },
    weights: { AllTraffic: 100 - shareOfOther, other: shareOfOther },
  });

  it("shares requests by weight, moves them without a new configuration, and back where somebody else did", async () => {
    const config = await plugin.create("HostedConfiguration", configuration([75, 25]));
    const made = await plugin.create("HostedEndpoint", endpoint(config.id, 25));
    assert.deepEqual(await shares(8), [6, 2]);
    assert.deepEqual([await ask("other"), await ask("AllTraffic")], ["other", "AllTraffic"]);
    await assert.rejects(ask("nobody"), /Variant nobody not found/);

    const news = configuration([50, 50]);
    const { changes, replaces } = await plugin.diff("HostedConfiguration", config.outputs, news);
    assert.deepEqual([changes, replaces], [true, []]);
    const kept = await plugin.update("HostedConfiguration", config.id, config.outputs, news);
    assert.deepEqual([kept["name"], kept["initialWeights"]], [config.id, [50, 50]]);
    const moved = await plugin.update(
      "HostedEndpoint",
      made.id,
      made.outputs,
      endpoint(config.id, 50),
    );
    assert.deepEqual(await shares(8), [4, 4]);
    const { ProductionVariants = [] } = await hosting.describe("ab");
    const counts = ProductionVariants.map(({ CurrentInstanceCount }) => CurrentInstanceCount);
    assert.deepEqual(counts, [1, 2], "as many instances as before");

    const DesiredWeightsAndCapacities = [{ VariantName: "other", DesiredWeight: 0 }];
    await hosting.client.send(
      new UpdateEndpointWeightsAndCapacitiesCommand({
        EndpointName: "ab",
        DesiredWeightsAndCapacities,
      }),
    );
    await hosting.untilStatus("ab", "InService");
    assert.deepEqual(await shares(3), [3, 0]);
    const read = await plugin.read("HostedEndpoint", made.id, moved);
    const drift = await plugin.diff("HostedEndpoint", read!, endpoint(config.id, 50));
    assert.equal(drift.changes, true);
    await plugin.update("HostedEndpoint", made.id, read!, endpoint(config.id, 50));
    assert.deepEqual(await shares(4), [2, 2]);
  });

  it("copies a share of the requests to a shadow, whose answers nobody gets but the captures", async () => {
    const shadow = {
      VariantName: "candidate",
      ModelName: "other",
      InstanceType: "ml.g5.xlarge",
      InitialInstanceCount: 1,
      InitialVariantWeight: 0.5,
    } as const;
    const more = {
      ShadowProductionVariants: [shadow],
      DataCaptureConfig: {
        EnableCapture: true,
        InitialSamplingPercentage: 100,
        DestinationS3Uri: "s3://weights/captures/",
        CaptureOptions: [{ CaptureMode: "Output" as const }],
      },
    };
    await hosting.makeConfig("shadowed", { ModelName: "AllTraffic" }, more);
    const told = await hosting.client.send(
      new DescribeEndpointConfigCommand({ EndpointConfigName: "shadowed" }),
    );
    assert.equal(told.ShadowProductionVariants?.[0]?.VariantName, "candidate");
    await hosting.create("shadowed");
    await hosting.untilStatus("shadowed", "InService");
    const { ShadowProductionVariants: [running] = [] } = await hosting.describe("shadowed");
    assert.equal(running?.CurrentInstanceCount, 1);
    const scope = { stack: "dev", region: "us-east-1", client: settingsFor(started.cloud) };
    const { shadows, variants: several } = await readEndpointState(scope, "shadowed");
    const counts = { instances: 1, wanted: 1 };
    assert.deepEqual(shadows, [{ name: "candidate", weight: 0.5, ...counts }]);
    assert.equal(several, undefined);
    for (const turn of ["1", "2", "3", "4"]) {
      assert.match(await hosting.ask("shadowed", turn), /AllTraffic: /);
    }
    const captured = async (variant: string) => {
      const Prefix = `captures/shadowed/${variant}/`;
      const asked = new ListObjectsV2Command({ Bucket: "weights", Prefix });
      return (await hosting.s3.send(asked)).KeyCount ?? 0;
    };
    await until(async () => (await captured("candidate")) === 2);
    assert.equal(await captured("AllTraffic"), 4);
    await assert.rejects(
      hosting.makeConfig(
        "twice",
        { ModelName: "other" },
        { ShadowProductionVariants: [shadow, shadow] },
      ),
      /one shadow variant at most/,
    );
  });

  it("proves each variant by itself, and goes back when one of the new ones is not well", async () => {
    const { EndpointConfigName: good = "" } = await hosting.describe("ab");
    const answer = (configName: string, variantName: string) => ({
      endpointName: "ab",
      configName,
      region: "us-east-1",
      realtime: true,
      requestForm: "completion",
      state: "InService",
      variantName,
    });
    const proven = await plugin.create("EndpointAnswer", answer(good, "other"));
    assert.match(String(proven.outputs["answeredAt"]), /^\d{4}-/);
    assert.equal(proven.id, "answer-ab-other");
    const bad = await plugin.create(
      "HostedConfiguration",
      configuration([50, 50], ["other", "bad"]),
    );
    const state = await plugin.read("HostedEndpoint", "ab", endpoint(good, 50));
    const back = await plugin.update("HostedEndpoint", "ab", state!, endpoint(bad.id, 50));
    assert.equal(back["runningConfig"], good);
    await assert.rejects(
      plugin.create("EndpointAnswer", answer(bad.id, "other")),
      /went back to .*production variant other did not pass the ping health check/,
    );
    assert.deepEqual(await shares(2), [1, 1]);
  });
});
