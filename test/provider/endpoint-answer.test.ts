import assert from "node:assert/strict";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { settingsFor, until } from "../offline/cloud/account.ts";
import { PluginClient } from "./support/plugin-client.ts";

const image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:1";
const container = new URL("../offline/cloud/serving-container.mjs", import.meta.url).pathname;

describe("berth:index:EndpointAnswer", function () {
  this.timeout(60_000);
  let cloud: Cloud;
  let plugin: PluginClient;
  let client: sagemaker.SageMakerClient;

  before(async () => {
    const command = [process.execPath, container] as const;
    cloud = await startCloud({ tier: "none", servingImages: [{ repository: "vllm", command }] });
    client = new sagemaker.SageMakerClient(settingsFor(cloud));
    plugin = await PluginClient.start({ ...cloud.environment });
    await makeConfig("good", {});
    await client.send(
      new sagemaker.CreateEndpointCommand({ EndpointName: "e", EndpointConfigName: "good" }),
    );
    await untilInService();
  });
  after(async () => {
    await plugin.stop();
    await cloud.stop();
  });

  async function makeConfig(name: string, Environment: Record<string, string>): Promise<void> {
    await client.send(
      new sagemaker.CreateModelCommand({
        ModelName: name,
        ExecutionRoleArn: "arn:aws:iam::123456789012:role/serve",
        PrimaryContainer: { Image: image, Environment },
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
          },
        ],
      }),
    );
  }

  async function untilInService(): Promise<void> {
    await until(async () => {
      const found = await client.send(new sagemaker.DescribeEndpointCommand({ EndpointName: "e" }));
      return found.EndpointStatus === "InService";
    });
  }

  const inputs = (configName: string, requestForm = "completion") => ({
    endpointName: "e",
    configName,
    region: "us-east-1",
    realtime: true,
    requestForm,
  });

  it("is made when the endpoint has answered", async () => {
    const made = await plugin.create("EndpointAnswer", inputs("good"));
    assert.match(String(made.outputs["answeredAt"]), /^\d{4}-\d\d-\d\dT/);
  });

  it("says that an update was rolled back, why, and what the container wrote last", async () => {
    await makeConfig("bad", { FIXTURE: "crash" });
    await client.send(
      new sagemaker.UpdateEndpointCommand({ EndpointName: "e", EndpointConfigName: "bad" }),
    );
    await untilInService();
    await assert.rejects(plugin.create("EndpointAnswer", inputs("bad")), (error: Error) => {
      assert.match(error.message, /went back to good, since bad failed: .*ping health check/);
      assert.match(error.message, /log: CUDA out of memory/);
      return true;
    });
  });

  it("does not take an endpoint that refuses its requests for one that serves", async () => {
    await assert.rejects(
      plugin.create("EndpointAnswer", inputs("good", "chat")),
      /is in service and does not answer: .*prompt is missing/,
    );
  });
});
