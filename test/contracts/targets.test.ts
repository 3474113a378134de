import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { startCloud, type Cloud } from "../../offline/cloud/cloud.ts";
import { openAsyncModel } from "../../scripts/adapters/endpoint/async-model.ts";
import { openEndpointModel } from "../../scripts/adapters/endpoint/endpoint-model.ts";
import { openHostModel } from "../../scripts/adapters/host-model.ts";
import { benchRequest } from "../../scripts/load/bench-options.ts";
import { climb, warmUp } from "../../scripts/load/ladder.ts";
import { LoadBudget } from "../../scripts/load/load-budget.ts";
import { openKnownStack } from "../../scripts/load/stack-target.ts";
import { syntheticWorkload } from "../../scripts/load/workload.ts";
import { benchDefaults } from "../scripts/load/bench-defaults.ts";
import { settingsFor, until } from "../offline/cloud/account.ts";
import { Hosting, servingContainer } from "../offline/cloud/hosting.ts";
import { freePort, needsSshd, startSshd, type TestSshd } from "../provider/support/sshd.ts";
import { modelClientContract } from "./model-client.ts";

describe("targets", () => {
  describe("a GPU host", () => {
    let sshd: TestSshd;
    let server: ChildProcess;
    before(function () {
      needsSshd(this);
    });
    modelClientContract({
      name: "a host's server behind SSH",
      streams: true,
      open: async () => {
        sshd = await startSshd();
        const port = await freePort();
        process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
        const [node, container] = servingContainer;
        server = spawn(node, [container], {
          env: { SAGEMAKER_BIND_TO_PORT: String(port), SM_MODEL_DIR: import.meta.dirname },
          stdio: ["ignore", "pipe", "inherit"],
        });
        await once(server.stdout!, "data");
        const url = `http://127.0.0.1:${port}`;
        await until(() =>
          fetch(`${url}/ping`).then(
            ({ ok }) => ok,
            () => false,
          ),
        );
        const target = { address: "127.0.0.1", user: sshd.user, hostKey: sshd.hostKey };
        return openHostModel({ target: { ...target, port: sshd.port }, url });
      },
      close: async () => {
        server.kill();
        await sshd.stop();
        Reflect.deleteProperty(process.env, "BERTH_SSH_PRIVATE_KEY");
      },
    });
  });

  describe("a SageMaker endpoint", () => {
    let cloud: Cloud;
    let hosting: Hosting;
    before(async () => {
      const servingImages = [{ repository: "fixture", command: servingContainer }];
      cloud = await startCloud({ tier: "none", servingImages });
      hosting = new Hosting(cloud);
      await hosting.makeWeights("weights");
    });
    after(() => cloud.stop());

    async function serve(
      name: string,
      AsyncInferenceConfig?: { readonly OutputConfig: { readonly S3OutputPath: string } },
      environment: Readonly<Record<string, string>> = {},
    ): Promise<void> {
      await hosting.makeModel(name, environment);
      await hosting.makeConfig(name, {}, { AsyncInferenceConfig });
      await hosting.create(name);
      await hosting.untilStatus(name, "InService");
    }

    modelClientContract({
      name: "a real-time endpoint",
      streams: true,
      open: async () => {
        await serve("at-once");
        const client = settingsFor(cloud);
        return openEndpointModel({ endpointName: "at-once", form: "completion", client });
      },
      close: () => Promise.resolve(),
    });
    modelClientContract({
      name: "a real-time endpoint whose image answers in JSON lines",
      streams: true,
      open: async () => {
        await serve("in-lines", undefined, { FIXTURE: "json-lines" });
        const client = settingsFor(cloud);
        return openEndpointModel({ endpointName: "in-lines", form: "completion", client });
      },
      close: () => Promise.resolve(),
    });
    it("is measured under load where it answers at once, and refused where answers are queued", async () => {
      const known = {
        options: {},
        client: settingsFor(cloud),
        emulated: true,
        now: new Date("2026-11-01T12:00:00Z"),
        hourlyUsd: 1,
      };
      await serve("loaded");
      const outputs = { endpointName: "loaded", expiresAt: "2026-11-01T13:00:00Z" };
      const opened = await openKnownStack({ ...known, outputs });
      assert.equal(opened.deadlineSeconds, 3540);
      const workload = syntheticWorkload({
        promptTokens: { least: 5, most: 5 },
        answerTokens: { least: 4, most: 4 },
        seed: 1,
      });
      const budget = new LoadBudget(20, 1000, opened.deadlineSeconds);
      const target = opened.load;
      const context = { target, workload, budget, requestSeconds: 10, mostFailed: 0 };
      try {
        await warmUp(context, 1);
        const settings = benchRequest({ ...benchDefaults(), rungSeconds: "0.5" }).settings;
        const [rung] = await climb(context, { loads: [2], settings }, () => undefined);
        const failures = rung!.samples.flatMap(({ failure, detail }) => (failure ? [detail] : []));
        assert.deepEqual(failures, []);
        assert.ok(rung!.samples.length >= 2 && rung!.partsInWindow > 4);
      } finally {
        budget.close();
        opened.close();
      }
      const queued = { ...known, outputs: { ...outputs, asyncUri: "s3://weights/" } };
      await assert.rejects(openKnownStack(queued), /asynchronous/);
      const late = { ...known, outputs, now: new Date("2026-11-01T12:59:00Z") };
      await assert.rejects(openKnownStack(late), /leaves no time/);
    });
    modelClientContract({
      name: "an asynchronous endpoint",
      streams: false,
      open: async () => {
        await serve("queued", { OutputConfig: { S3OutputPath: "s3://weights/answers/" } });
        const client = settingsFor(cloud);
        const asyncUri = "s3://weights/";
        return openAsyncModel({ endpointName: "queued", form: "completion", client, asyncUri });
      },
      close: () => Promise.resolve(),
    });
  });
});
