import assert from "node:assert/strict";
import { CloudWatchClient, PutMetricDataCommand } from "@aws-sdk/client-cloudwatch";
import {
  CreateBucketCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  S3Client,
} from "@aws-sdk/client-s3";
import * as sagemaker from "@aws-sdk/client-sagemaker";
import { compareBill } from "../../../../components/cost/compare-bill.ts";
import { egressBound } from "../../../../components/cost/egress-bound.ts";
import { ledgerOf, sumBy } from "../../../../components/cost/ledger.ts";
import type { RunRecord, Usage } from "../../../../components/cost/usage.ts";
import { timestamp } from "../../../../components/lease/lease.ts";
import { startCloud, type Cloud } from "../../../../offline/cloud/cloud.ts";
import { askBill } from "../../../../scripts/adapters/cost/cost-explorer.ts";
import { askSentBytes } from "../../../../scripts/adapters/cost/egress-of-runs.ts";
import { recordRuns } from "../../../../scripts/adapters/cost/run-records.ts";
import { settingsFor } from "../../../offline/cloud/account.ts";

const hourMs = 3_600_000;
const runId = "0123456789ab";
const tags = {
  ...{ "berth:stack": "dev", "berth:owner": "alice", "berth:run-id": runId },
  "berth:hourly-usd": "1.4100",
};
const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

describe("what runs cost, asked of an account", () => {
  let cloud: Cloud;
  const now = new Date(Math.floor(Date.now() / hourMs) * hourMs + hourMs / 2);

  before(async () => {
    cloud = await startCloud({ tier: "none" });
  });
  after(() => cloud.stop());
  afterEach(() => {
    cloud.clearFaults();
  });

  async function makeBucket(): Promise<void> {
    const s3 = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    const Bucket = "dev-weights-store-bucket-1";
    await s3.send(new CreateBucketCommand({ Bucket }));
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: Tags } }));
    await s3.send(new PutObjectCommand({ Bucket, Key: "w/1", Body: Buffer.alloc(1 << 20) }));
    await s3.send(new CreateBucketCommand({ Bucket: "somebody-else" }));
  }

  async function makeEndpoint(): Promise<void> {
    const client = new sagemaker.SageMakerClient(settingsFor(cloud));
    const [ModelName, EndpointConfigName, EndpointName] = ["dev-m", "dev-c", "dev-e"];
    const Image = "763104351884.dkr.ecr.us-east-1.amazonaws.com/vllm:1";
    await client.send(
      new sagemaker.CreateModelCommand({
        ...{ ModelName, ExecutionRoleArn: "arn:aws:iam::123456789012:role/serve", Tags },
        PrimaryContainer: { Image },
      }),
    );
    const variant = { VariantName: "AllTraffic", ModelName, InstanceType: "ml.g5.xlarge" } as const;
    await client.send(
      new sagemaker.CreateEndpointConfigCommand({
        ...{ EndpointConfigName, Tags },
        ProductionVariants: [{ ...variant, InitialInstanceCount: 1 }],
      }),
    );
    await client.send(
      new sagemaker.CreateEndpointCommand({ EndpointName, EndpointConfigName, Tags }),
    );
  }

  /** One report a minute and instance, as SageMaker's instances send them. */
  async function report(hoursAgo: number, samples: number): Promise<void> {
    const cloudwatch = new CloudWatchClient(settingsFor(cloud));
    const hour = Math.floor(now.getTime() / hourMs) * hourMs;
    await cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: "/aws/sagemaker/Endpoints",
        MetricData: [
          {
            MetricName: "CPUUtilization",
            Timestamp: new Date(hour - hoursAgo * hourMs),
            Dimensions: [
              { Name: "EndpointName", Value: "dev-e" },
              { Name: "VariantName", Value: "AllTraffic" },
            ],
            StatisticValues: { SampleCount: samples, Sum: samples, Minimum: 1, Maximum: 1 },
          },
        ],
      }),
    );
  }

  it("counts a bucket by its size, and an endpoint by the reports of its instances", async () => {
    await makeBucket();
    await makeEndpoint();
    await report(0, 60);
    const { runs, unanswered } = await recordRuns(settingsFor(cloud), "us-east-1", now);
    assert.deepEqual(unanswered, []);
    assert.deepEqual(
      runs.map((run) => [run.runId, run.stack, run.usages.map(({ kind }) => kind).toSorted()]),
      [[runId, "dev", ["bucket", "endpoint"]]],
    );
    const [bucket] = runs[0]!.usages.filter(({ kind }) => kind === "bucket");
    assert.equal(bucket?.units, 1 / 1024);
    const kinds = sumBy(ledgerOf(runs, now), "kind");
    // Sixty reports within this half hour are two instances' half hours, at the price of one.
    assert.equal(kinds.find(({ name }) => name === "endpoint")?.usd.toFixed(4), "1.4100");
  });

  it("names what did not answer, and counts the rest", async () => {
    cloud.setFault({ kind: "access-denied", service: "sagemaker" });
    const { runs, unanswered } = await recordRuns(settingsFor(cloud), "us-east-1", now);
    assert.deepEqual(
      unanswered.map(({ kinds }) => kinds),
      [["endpoint"]],
    );
    assert.deepEqual(
      runs[0]?.usages.map(({ kind }) => kind),
      ["bucket"],
    );
  });

  it("sums what hosts sent from their launch to their end, those that are gone too", async () => {
    const cloudwatch = new CloudWatchClient(settingsFor(cloud));
    const send = (host: string, hoursAgo: number, bytes: number) =>
      cloudwatch.send(
        new PutMetricDataCommand({
          Namespace: "AWS/EC2",
          MetricData: [
            {
              MetricName: "NetworkOut",
              Timestamp: new Date(now.getTime() - hoursAgo * hourMs),
              Dimensions: [{ Name: "InstanceId", Value: host }],
              Value: bytes,
            },
          ],
        }),
      );
    await send("i-gone", 50, 40e9);
    await send("i-gone", 49, 10e9);
    await send("i-here", 1, 2e9);
    await send("i-strange", 1, 900e9);
    await cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: "AWS/SageMaker",
        MetricData: ["AllTraffic", "Other"].map((variant) => ({
          ...{ MetricName: "Invocations", Value: 20 },
          Timestamp: new Date(now.getTime() - hourMs),
          Dimensions: [
            { Name: "EndpointName", Value: "dev-e" },
            { Name: "VariantName", Value: variant },
          ],
        })),
      }),
    );
    const at = (hoursAgo: number) => timestamp(new Date(now.getTime() - hoursAgo * hourMs));
    const host = (resourceId: string, from: string, to?: string): Usage => ({
      ...{ kind: "instance", resourceId, type: "g6.xlarge", units: 1 },
      span: { from, to },
      prices: [{ from, hourlyUsd: 1 }],
    });
    const identity = { stack: "dev", env: "dev", owner: "alice", model: "m", region: "us-east-1" };
    const record: RunRecord = {
      ...{ ...identity, runId, charges: [] },
      usages: [
        host("i-gone", at(51), at(48)),
        host("i-here", at(2)),
        { ...host("dev-e", at(2)), kind: "endpoint", variants: ["AllTraffic", "Other"] },
      ],
    };
    const bound = egressBound(await askSentBytes(settingsFor(cloud), [record], now));
    assert.deepEqual(
      bound.hosts.map(({ resourceId, bytes }) => [resourceId, bytes]),
      [
        ["i-gone", 50e9],
        ["i-here", 2e9],
      ],
    );
    assert.equal(bound.sentGB, 52);
    assert.deepEqual(
      bound.endpoints.map(({ requests, atMostUsd }) => [requests, atMostUsd]),
      [[40, 0.09]],
    );
    assert.equal(bound.atMostUsd, 4.77);
  });

  it("asks Cost Explorer by the stack's tag, day by day", async () => {
    const line = { day: "2026-11-01", region: "us-east-1", tags: { "berth:stack": "dev" } };
    cloud.bill(
      { ...line, usd: 12, estimated: true },
      { ...line, usd: 0.5 },
      { ...line, usd: -12.5, recordType: "Credit" },
      { ...line, usd: 99, tags: {} },
      { ...line, usd: 99, region: "eu-west-1" },
      { ...line, usd: 99, day: "2026-11-02" },
    );
    const asked = { from: "2026-11-01", until: "2026-11-02", regions: ["us-east-1"] };
    const { days, requests } = await askBill(settingsFor(cloud), asked);
    assert.equal(requests, 1);
    assert.deepEqual(days, [{ day: "2026-11-01", stack: "dev", usd: 12.5, estimated: true }]);
    assert.equal(compareBill([], days).billUsd, 12.5);
  });

  it("says what to do where Cost Explorer is refused", async () => {
    cloud.setFault({ kind: "access-denied", service: "ce" });
    const asked = { from: "2026-11-01", until: "2026-11-02", regions: ["us-east-1"] };
    await assert.rejects(askBill(settingsFor(cloud), asked), /Cost Explorer does not answer/);
  });
});
