import assert from "node:assert/strict";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import type { Hosting } from "../offline/cloud/hosting.ts";
import { startHostingPlugin, type HostingPlugin } from "./support/hosting-plugin.ts";
import type { PluginClient } from "./support/plugin-client.ts";

describe("the provider's SageMaker resources", () => {
  let started: HostingPlugin;
  let cloud: Cloud;
  let plugin: PluginClient;
  let hosting: Hosting;

  before(async () => {
    started = await startHostingPlugin({
      good: {},
      better: { GREETING: "better" },
      bad: { FIXTURE: "crash" },
      never: { FIXTURE: "never" },
    });
    ({ cloud, plugin, hosting } = started);
    for (const name of ["good", "better", "bad", "never"]) await hosting.makeConfig(name);
  });
  after(() => started.stop());

  describe("berth:index:EndpointAnswer", () => {
    before(async () => {
      await hosting.create("e", "good");
      await hosting.untilStatus("e", "InService");
    });

    const inputs = (configName: string, requestForm = "completion", state = "InService") => ({
      endpointName: "e",
      configName,
      region: "us-east-1",
      realtime: true,
      requestForm,
      state,
    });

    it("is made when the endpoint has answered", async () => {
      const made = await plugin.create("EndpointAnswer", inputs("good"));
      assert.match(String(made.outputs["answeredAt"]), /^\d{4}-\d\d-\d\dT/);
    });

    it("asks nothing of an endpoint that is stopped", async () => {
      const asked = { ...inputs("good", "completion", "stopped"), endpointName: "nobody" };
      const made = await plugin.create("EndpointAnswer", asked);
      assert.equal(made.outputs["answeredAt"], "not asked: the endpoint is stopped");
    });

    it("says that an update was rolled back, why, and what the container wrote last", async () => {
      await hosting.update("e", "bad");
      await hosting.untilStatus("e", "InService");
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

  describe("berth:index:HostedEndpoint", () => {
    const tags = { "berth:run-id": "0123456789ab", "berth:protect": "false" };
    const inputs = (endpointName: string, configName: string, more: object = {}) => ({
      endpointName,
      configName,
      region: "us-east-1",
      tags,
      ...more,
    });
    // Both are around this instant, whenever it is.
    const day = (offset: number) =>
      new Date(Date.now() + offset * 86_400_000).toUTCString().slice(0, 3);
    const always = `${day(-1)}-${day(1)} 00:00-24:00 UTC`;
    const never = `${day(3)} 00:00-24:00 UTC`;

    it("goes on with an endpoint whose creation was cut off, and not with somebody else's", async () => {
      const cut = plugin.create("HostedEndpoint", inputs("cut", "good"));
      const again = await plugin.create("HostedEndpoint", inputs("cut", "good"));
      assert.equal((await cut.catch(() => again)).outputs["state"], "InService");
      assert.equal(again.outputs["runningConfig"], "good");
      const other = inputs("cut", "good", { tags: { "berth:run-id": "ffffffffffff" } });
      await assert.rejects(plugin.create("HostedEndpoint", other), /of another deployment/);
    });

    it("records a failure, so that it can be removed, and makes it anew when that is put right", async () => {
      const failed = await plugin.create("HostedEndpoint", inputs("fails", "bad"));
      assert.equal(failed.outputs["state"], "Failed");
      const right = await plugin.update(
        "HostedEndpoint",
        failed.id,
        failed.outputs,
        inputs("fails", "good"),
      );
      assert.equal(right["state"], "InService");
      assert.match(await hosting.ask("fails", "hello"), /echo: hello/);
    });

    it("moves to another configuration, and knows when SageMaker went back", async () => {
      const made = await plugin.create("HostedEndpoint", inputs("moves", "good"));
      const moved = await plugin.update(
        "HostedEndpoint",
        made.id,
        made.outputs,
        inputs("moves", "better"),
      );
      assert.equal(moved["runningConfig"], "better");
      const back = await plugin.update("HostedEndpoint", made.id, moved, inputs("moves", "bad"));
      assert.deepEqual([back["state"], back["runningConfig"]], ["InService", "better"]);
      const { changes } = await plugin.diff("HostedEndpoint", back, inputs("moves", "bad"));
      assert.equal(changes, true, "the next up tries again");
    });

    it("stays stopped through a refresh and a change, and outside of its hours is not made", async () => {
      const hours = { hours: always };
      const made = await plugin.create("HostedEndpoint", inputs("rests", "good", hours));
      assert.equal(made.outputs["state"], "InService");
      await plugin.delete("HostedEndpoint", made.id, made.outputs);
      const read = await plugin.read("HostedEndpoint", made.id, made.outputs);
      assert.equal(read?.["state"], "stopped");
      const news = inputs("rests", "better", hours);
      const changed = await plugin.update("HostedEndpoint", made.id, read, news);
      assert.equal(changed["state"], "stopped");
      const closed = inputs("closed", "good", { hours: never });
      const stopped = await plugin.create("HostedEndpoint", closed);
      assert.equal(stopped.outputs["state"], "stopped");
      assert.match(String(stopped.outputs["arn"]), /:endpoint\/closed$/);
      await assert.rejects(hosting.describe("closed"), /Could not find/);
    });

    it("takes the next type when the first lacks capacity, and says which", async () => {
      cloud.setFault({
        kind: "insufficient-capacity",
        service: "sagemaker",
        instanceType: "ml.g6.xlarge",
      });
      const config = await plugin.create("HostedConfiguration", {
        region: "us-east-1",
        namePrefix: "pooled",
        configuration: {
          productionVariants: [
            {
              variantName: "AllTraffic",
              modelName: "good",
              instanceType: "ml.g6.xlarge",
              initialInstanceCount: 1,
              containerStartupHealthCheckTimeoutInSeconds: 600,
            },
          ],
          tags,
        },
        instanceTypes: ["ml.g6.xlarge", "ml.g5.xlarge"],
        provisionTimeoutSeconds: 900,
      });
      assert.match(config.id, /^pooled-[0-9a-f]{7}$/);
      const made = await plugin.create("HostedEndpoint", inputs("pooled", config.id));
      cloud.clearFaults();
      assert.equal(made.outputs["instanceType"], "ml.g5.xlarge");
      const read = await plugin.read("HostedEndpoint", made.id, made.outputs);
      assert.deepEqual(read, made.outputs, "it stays where it is");
      await plugin.delete("HostedEndpoint", made.id, made.outputs);
      await plugin.delete("HostedConfiguration", config.id, config.outputs);
      assert.equal(await plugin.read("HostedConfiguration", config.id, config.outputs), undefined);
    });

    it("is gone when nobody stopped it, and goes while it is Creating", async () => {
      const made = await plugin.create("HostedEndpoint", inputs("lost", "good"));
      await plugin.delete("HostedEndpoint", made.id, made.outputs);
      assert.equal(await plugin.read("HostedEndpoint", made.id, made.outputs), undefined);
      await plugin.delete("HostedEndpoint", made.id, made.outputs);
      await hosting.create("creating", "never");
      await plugin.delete("HostedEndpoint", "creating", inputs("creating", "never"));
      await assert.rejects(hosting.describe("creating"), /Could not find/);
    });
  });
});
