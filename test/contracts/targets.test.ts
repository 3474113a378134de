import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { CreateBucketCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
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
import { freePort, hasSshd, startSshd, type TestSshd } from "../provider/support/sshd.ts";
import { needs } from "../support/tier.ts";
import { modelClientContract } from "./model-client.ts";

const container = new URL("../offline/cloud/serving-container.mjs", import.meta.url).pathname;

describe("targets", () => {
  describe("a GPU host", () => {
    let sshd: TestSshd;
    let server: ChildProcess;
    before(function () {
      needs(this, "sshd", hasSshd(), "/usr/sbin/sshd is not there; install openssh-server");
    });
    modelClientContract({
      name: "a host's server behind SSH",
      streams: true,
      open: async () => {
        sshd = await startSshd();
        const port = await freePort();
        process.env["BERTH_SSH_PRIVATE_KEY"] = sshd.clientKey;
        server = spawn(process.execPath, [container], {
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
    before(async function () {
      this.timeout(60_000);
      const command = [process.execPath, container] as const;
      cloud = await startCloud({
        tier: "none",
        servingImages: [{ repository: "vllm", command }],
      });
      const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
      await s3.send(new CreateBucketCommand({ Bucket: "queue" }));
      await s3.send(new PutObjectCommand({ Bucket: "queue", Key: "w/config.json", Body: "{}" }));
    });
    after(() => cloud.stop());

    async function serve(name: string, asynchronous: boolean, FIXTURE = "well"): Promise<void> {
      const client = new sagemaker.SageMakerClient(settingsFor(cloud));
      const S3DataSource = { S3Uri: "s3://queue/w/", S3DataType: "S3Prefix" } as const;
      await client.send(
        new sagemaker.CreateModelCommand({
          ModelName: name,
          ExecutionRoleArn: "arn:aws:iam::123456789012:role/serve",
          PrimaryContainer: {
            Image: "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:1",
            Environment: { FIXTURE },
            ModelDataSource: { S3DataSource: { ...S3DataSource, CompressionType: "None" } },
          },
        }),
      );
      const OutputConfig = { S3OutputPath: "s3://queue/answers/" };
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
          ...(asynchronous ? { AsyncInferenceConfig: { OutputConfig } } : {}),
        }),
      );
      await client.send(
        new sagemaker.CreateEndpointCommand({ EndpointName: name, EndpointConfigName: name }),
      );
      await until(async () => {
        const found = await client.send(
          new sagemaker.DescribeEndpointCommand({ EndpointName: name }),
        );
        return found.EndpointStatus === "InService";
      });
    }

    modelClientContract({
      name: "a real-time endpoint",
      streams: true,
      open: async () => {
        await serve("at-once", false);
        const client = settingsFor(cloud);
        return openEndpointModel({ endpointName: "at-once", form: "completion", client });
      },
      close: () => Promise.resolve(),
    });
    modelClientContract({
      name: "a real-time endpoint whose image answers in JSON lines",
      streams: true,
      open: async () => {
        await serve("in-lines", false, "json-lines");
        const client = settingsFor(cloud);
        return openEndpointModel({ endpointName: "in-lines", form: "completion", client });
      },
      close: () => Promise.resolve(),
    });
    it("is measured under load where it answers at once, and refused where answers are queued", async function () {
      this.timeout(30_000);
      const known = {
        options: {},
        client: settingsFor(cloud),
        emulated: true,
        now: new Date("2026-11-01T12:00:00Z"),
        hourlyUsd: 1,
      };
      await serve("loaded", false);
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
      const queued = { ...known, outputs: { ...outputs, asyncUri: "s3://queue/" } };
      await assert.rejects(openKnownStack(queued), /asynchronous/);
      const late = { ...known, outputs, now: new Date("2026-11-01T12:59:00Z") };
      await assert.rejects(openKnownStack(late), /leaves no time/);
    });
    modelClientContract({
      name: "an asynchronous endpoint",
      streams: false,
      open: async () => {
        await serve("queued", true);
        const client = settingsFor(cloud);
        const asyncUri = "s3://queue/";
        return openAsyncModel({ endpointName: "queued", form: "completion", client, asyncUri });
      },
      close: () => Promise.resolve(),
    });
  });
});
