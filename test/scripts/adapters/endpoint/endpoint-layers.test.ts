import assert from "node:assert/strict";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { CreateScheduleGroupCommand, SchedulerClient } from "@aws-sdk/client-scheduler";
import { startCloud, type Cloud } from "../../../../offline/cloud/cloud.ts";
import { elsewhereLayer } from "../../../../scripts/adapters/elsewhere-layer.ts";
import {
  endpointProtection,
  groupTag,
  notebookProtection,
} from "../../../../scripts/adapters/endpoint/endpoint-layers.ts";
import { settingsFor } from "../../../offline/cloud/account.ts";

const Image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:1";
const expiresAt = "2031-01-01T00:00:00Z";

describe("the layers of an endpoint's lease, in the emulated account", () => {
  let cloud: Cloud;
  let client: sagemaker.SageMakerClient;
  const scope = () => ({
    stack: "dev",
    runId: "0123456789ab",
    region: "us-east-1",
    client: settingsFor(cloud),
  });

  before(async () => {
    cloud = await startCloud({ tier: "none" });
    client = new sagemaker.SageMakerClient(settingsFor(cloud));
  });
  after(async () => {
    client.destroy();
    await cloud.stop();
  });

  async function makeEndpoint(
    client: sagemaker.SageMakerClient,
    name: string,
    Tags: sagemaker.Tag[],
  ): Promise<string> {
    const ExecutionRoleArn = "arn:aws:iam::123456789012:role/serve";
    const PrimaryContainer = { Image };
    await client.send(
      new sagemaker.CreateModelCommand({ ModelName: name, ExecutionRoleArn, PrimaryContainer }),
    );
    const variant = { VariantName: "one", ModelName: name, InitialInstanceCount: 1 };
    await client.send(
      new sagemaker.CreateEndpointConfigCommand({
        EndpointConfigName: name,
        ProductionVariants: [{ ...variant, InstanceType: "ml.g5.xlarge" }],
      }),
    );
    const { EndpointArn } = await client.send(
      new sagemaker.CreateEndpointCommand({
        EndpointName: name,
        EndpointConfigName: name,
        Tags,
      }),
    );
    return EndpointArn!;
  }

  it("protects the endpoint by its tag, and takes a sweep's mark away", async () => {
    const arn = await makeEndpoint(client, "dev-own", [
      { Key: "berth:protect", Value: "false" },
      { Key: "berth:sweep-at", Value: "2031-01-01T00:05:00Z" },
    ]);
    const layer = endpointProtection(scope(), arn);
    assert.equal(await layer.read(), "false");
    await layer.write("true");
    assert.equal(await layer.read(), "true");
    const { Tags = [] } = await client.send(new sagemaker.ListTagsCommand({ ResourceArn: arn }));
    assert.deepEqual(Tags, [{ Key: "berth:protect", Value: "true" }]);
  });

  it("protects the notebook beside it in the same way", async () => {
    const { NotebookInstanceArn: arn = "" } = await client.send(
      new sagemaker.CreateNotebookInstanceCommand({
        NotebookInstanceName: "dev-own",
        InstanceType: "ml.t3.medium",
        RoleArn: "arn:aws:iam::123456789012:role/ask",
        Tags: [{ Key: "berth:protect", Value: "false" }],
      }),
    );
    const layer = notebookProtection(scope(), arn);
    assert.equal(layer.name, "the tag berth:protect of the notebook");
    assert.equal(await layer.read(), "false");
    await layer.write("true");
    assert.equal(await layer.read(), "true");
  });

  it("takes an endpoint that is gone for one that nothing protects", async () => {
    const arn = "arn:aws:sagemaker:us-east-1:123456789012:endpoint/dev-gone";
    const layer = endpointProtection(scope(), arn);
    assert.equal(await layer.read(), undefined);
    await layer.write("true");
  });

  it("keeps the deadline on the schedules' group", async () => {
    const schedules = new SchedulerClient(settingsFor(cloud));
    const { ScheduleGroupArn } = await schedules.send(
      new CreateScheduleGroupCommand({ Name: "dev" }),
    );
    const layer = groupTag(scope(), ScheduleGroupArn!, "berth:expires-at");
    assert.equal(await layer.read(), undefined);
    await layer.write(expiresAt);
    assert.equal(await layer.read(), expiresAt);
    schedules.destroy();
  });

  it("takes a sweep's mark off an endpoint of another region with a new deadline, and of no other run", async () => {
    const region = "eu-west-1";
    const there = new sagemaker.SageMakerClient(settingsFor(cloud, region));
    const made = async (name: string, run: string) => {
      const Tags = [
        { Key: "berth:run-id", Value: run },
        { Key: "berth:sweep-at", Value: "2031-01-01T00:05:00Z" },
      ];
      return makeEndpoint(there, name, Tags);
    };
    const [own, foreign] = [
      await made("dev-own", "0123456789ab"),
      await made("dev-other", "ba9876543210"),
    ];
    const layer = elsewhereLayer(scope(), {
      name: "after-deadline",
      groupName: "g",
      region,
      kind: "after-deadline",
    });
    assert.equal(await layer.read(), "");
    await layer.write(expiresAt);
    assert.equal(await layer.read(), undefined);
    const marks = async (ResourceArn: string) =>
      (await there.send(new sagemaker.ListTagsCommand({ ResourceArn }))).Tags?.length;
    assert.deepEqual([await marks(own), await marks(foreign)], [1, 2]);
  });
});
