import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import * as ec2 from "@aws-sdk/client-ec2";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import type { DashboardView } from "../../components/dashboard-page/dashboard-view.ts";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { freePort, needsSshd } from "../provider/support/sshd.ts";
import { CheckoutAccount, type Ended } from "./checkout-account.ts";
import { lackingTags, walkAccount } from "./walk-account.ts";

describe("an account after an up", function () {
  this.timeout(600_000);
  let account: CheckoutAccount;
  let cloud: Cloud;
  let folder: string;

  before(async function () {
    needsSshd(this);
    account = await CheckoutAccount.open();
    ({ cloud, folder } = account);
    const client = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    await client.send(new CreateBucketCommand({ Bucket: "walk-kept" }));
  });
  after(() => account.close());
  afterEach(() => {
    cloud.clearFaults();
  });

  const berth = (...words: readonly string[]): Promise<Ended> => account.berth(...words);
  const init = (stack: string, ...settings: readonly string[]): Promise<void> =>
    account.init(stack, ...settings);

  const lacking = (stack: string) => lackingTags(cloud, stack);

  it("stops before anything that costs where the budget is refused, and says what to do", async () => {
    const port = await freePort();
    await init("local-walk", `serverPort=${port}`, "monthlyBudgetUsd=500");
    cloud.setFault({ kind: "access-denied", service: "budgets", operation: "CreateBudget" });
    const { code, text } = await berth("up", "--env", "local-walk");
    assert.equal(code, 3, text);
    assert.match(text, /The budget could not be armed/);
    assert.doesNotMatch(text, /Channel has been shut down/);
    const { Reservations = [] } = await new ec2.EC2Client(settingsFor(cloud)).send(
      new ec2.DescribeInstancesCommand({}),
    );
    assert.deepEqual(Reservations, []);
  });

  it("has the whole contract on everything of a host's stack that takes tags", async () => {
    const { code, text } = await berth("up", "--env", "local-walk");
    assert.equal(code, 0, text);
    assert.match(text, /month +\$[\d.]+ for one lease of/);
    assert.deepEqual(await lacking("local-walk"), []);
    const cost = await berth("cost", "--env", "local-walk", "--egress");
    assert.equal(cost.code, 0, cost.text);
    assert.match(cost.text, /egress +at most \$\S+ more, and not in the sum: 1 host sent 0\.00 GB/);
    const preview = await berth("preview", "--env", "local-walk");
    assert.match(preview.text, /difference none: it costs/);
  });

  it("gets another host for one that was taken back, with the same deadline", async () => {
    const client = new ec2.EC2Client(settingsFor(cloud));
    const live = async (): Promise<readonly string[]> => {
      const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
      const { Reservations = [] } = await client.send(
        new ec2.DescribeInstancesCommand({ Filters }),
      );
      return Reservations.flatMap(({ Instances = [] }) =>
        Instances.map((each) => each.InstanceId!),
      );
    };
    const before = await live();
    const expiry = /ends +(\S+),/.exec((await berth("status", "--env", "local-walk")).text)?.[1];
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [...before] }));
    const status = await berth("status", "--env", "local-walk");
    assert.match(status.text, /next +bring another up: .* up --env local-walk/);
    const preview = await berth("preview", "--env", "local-walk");
    assert.equal(preview.code, 0, preview.text);
    assert.match(preview.text, /will make +local-walk-host-launch/);
    const { code, text } = await berth("up", "--env", "local-walk");
    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`${before[0]!} has ended; another one is made`));
    const after = await live();
    assert.equal(after.length, 1);
    assert.notDeepEqual(after, before);
    assert.ok(expiry !== undefined && text.includes(`ends       ${expiry}`), text);
    assert.equal((await berth("invoke", "hi", "--env", "local-walk", "--max-tokens", "2")).code, 0);
  });

  it("is on the dashboard's page and in its JSON, with its host, deadline, cost and no secret", async () => {
    const page = join(folder, "dashboard.html");
    const once = await berth("dashboard", "--once", page);
    assert.equal(once.code, 0, once.text);
    assert.match(once.text, /1 stack/);
    const html = await readFile(page, "utf8");
    const { code, text, stdout } = await berth("dashboard", "--json");
    assert.equal(code, 0, text);
    const view = JSON.parse(stdout) as DashboardView;
    const [stack] = view.stacks;
    assert.equal(stack?.name, "local-walk");
    assert.equal(stack.owner, "alice@example.org");
    assert.ok(stack.hourlyUsd !== undefined && stack.hourlyUsd > 0);
    assert.ok(stack.cost !== undefined && stack.cost.usd > 0);
    assert.ok(Date.parse(stack.expiresAt ?? "") > Date.parse(stack.now));
    assert.deepEqual([stack.serving.text, stack.serving.tone], ["host running", "good"]);
    assert.deepEqual(view.accounts[0]?.others, []);
    assert.deepEqual(view.silent, []);
    for (const shown of ["local-walk", stack.instanceType, stack.model]) {
      assert.ok(html.includes(shown), shown);
    }
    for (const [name, told] of Object.entries({ html, json: text })) {
      assert.doesNotMatch(told, /PRIVATE KEY|v1:[A-Za-z0-9+/]{12,}/, name);
      assert.ok(!told.includes('http-equiv="refresh"'), name);
    }
  });

  it("keeps a host whose files cannot be saved, and saves them before it goes", async () => {
    const wrong = await berth("down", "--env", "local-walk", "--yes", "--save", "/no/such");
    assert.equal(wrong.code, 1, wrong.text);
    assert.match(wrong.text, /Nothing was taken down, since it could not be saved: there is no/);
    assert.match((await berth("status", "--env", "local-walk")).text, /host +running/);
    const to = ["--save-to", "s3://walk-kept/final"];
    // Machines that are folders see this host's files.
    const words = ["--yes", "--save", join(folder, "model", "config.json"), ...to];
    const { code, text } = await berth("down", "--env", "local-walk", ...words);
    assert.equal(code, 0, text);
    assert.match(text, /things of the state by name/);
    const client = new S3Client({ ...settingsFor(cloud), forcePathStyle: true });
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: "walk-kept" }));
    assert.match(Contents[0]?.Key ?? "", /^final\/.*config\.json$/);
    const receipts = join(account.root, ".berth", "receipts");
    const names = (await readdir(receipts)).filter((name) => name.startsWith("local-walk-"));
    const page = await readFile(
      join(
        receipts,
        names.toSorted().findLast((each) => each.endsWith(".md"))!,
      ),
      "utf8",
    );
    assert.match(page, /Saved first: 1 files/);
  });

  it("has it on everything of an endpoint's stack too", async () => {
    const given = ["target=sagemaker", "weightsBucket=walk-weights", "endpointMode=components"];
    await init("local-walk-endpoint", ...given);
    const { code, text } = await berth("up", "--env", "local-walk-endpoint");
    assert.equal(code, 0, text);
    assert.deepEqual(await lacking("local-walk-endpoint"), []);
    const kinds = (await walkAccount(settingsFor(cloud), "local-walk-endpoint")).map(
      ({ kind }) => kind,
    );
    for (const kind of ["component", "endpoint", "endpoint config", "model"])
      assert.ok(kinds.includes(kind), kind);
    const down = await berth("down", "--env", "local-walk-endpoint", "--yes");
    assert.equal(down.code, 0, down.text);
    assert.deepEqual(await walkAccount(settingsFor(cloud), "local-walk-endpoint"), []);
  });

  it("sweeps one stack's own from a region that its file no longer names", async () => {
    const elsewhere = new ec2.EC2Client(settingsFor(cloud, "eu-west-1"));
    const volume = async (owner: string) => {
      const tags = {
        ...{ "berth:stack": "local-walk", "berth:owner": owner, "berth:run-id": `${owner}-run` },
        ...{ "berth:protect": "false", "berth:expires-at": "2026-01-01T00:00:00Z" },
      };
      const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
      const made = await elsewhere.send(
        new ec2.CreateVolumeCommand({
          ...{ AvailabilityZone: "eu-west-1a", Size: 8 },
          TagSpecifications: [{ ResourceType: "volume", Tags }],
        }),
      );
      return made.VolumeId;
    };
    await volume("alice@example.org");
    const foreign = await volume("bob");
    const flags = ["--own", "--fix", "--yes", "--wait", "1", "--regions", "us-east-1,eu-west-1"];
    const { code, text } = await berth("audit", "--env", "local-walk", ...flags);
    assert.equal(code, 0, text);
    const { Volumes = [] } = await elsewhere.send(new ec2.DescribeVolumesCommand({}));
    assert.deepEqual(
      Volumes.map(({ VolumeId }) => VolumeId),
      [foreign],
    );
  });
});
