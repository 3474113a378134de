import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ec2 from "@aws-sdk/client-ec2";
import * as scheduler from "@aws-sdk/client-scheduler";
import { settingsFor } from "../offline/cloud/account.ts";
import { CheckoutAccount, type Ended } from "./checkout-account.ts";
import { walkAccount } from "./walk-account.ts";

const stack = "local-far";
const regions = ["eu-west-1", "us-west-2"];

describe("a stack whose sweeps look in other regions too", function () {
  this.timeout(300_000);
  let account: CheckoutAccount;

  before(async () => {
    account = await CheckoutAccount.open();
    const given = ["target=sagemaker", "weightsBucket=walk-weights"];
    await account.init(stack, ...given, `sweepRegions=${regions.join(",")}`);
  });
  after(() => account.close());

  const berth = (...words: readonly string[]): Promise<Ended> =>
    account.berth(...words, "--env", stack);

  /** The start of the sweep of each further region, RFC 3339. */
  async function sweepStarts(): Promise<readonly (string | undefined)[]> {
    return Promise.all(
      regions.map(async (region) => {
        const client = new scheduler.SchedulerClient(settingsFor(account.cloud, region));
        const { Schedules = [] } = await client.send(new scheduler.ListSchedulesCommand({}));
        assert.equal(Schedules.length, 1, region);
        const { Name, GroupName } = Schedules[0]!;
        const found = await client.send(new scheduler.GetScheduleCommand({ Name, GroupName }));
        assert.equal(found.State, "ENABLED");
        return found.StartDate?.toISOString();
      }),
    );
  }

  async function runId(): Promise<string> {
    const things = await walkAccount(settingsFor(account.cloud, "eu-west-1"), stack);
    assert.deepEqual(things.map(({ kind }) => kind).toSorted(), [
      ...["role", "role", "role", "role", "role", "role", "role"],
      ...["schedule group", "state machine"],
    ]);
    return things[0]!.tags["berth:run-id"]!;
  }

  it("arms them, and moves them with an extension", async () => {
    const up = await berth("up");
    assert.equal(up.code, 0, up.text);
    const [first, second] = await sweepStarts();
    assert.equal(first, second);
    const extended = await berth("extend", "1h");
    assert.equal(extended.code, 0, extended.text);
    for (const region of regions) assert.ok(extended.text.includes(`the sweep of ${region}`));
    const [later] = await sweepStarts();
    assert.equal(Date.parse(later!) - Date.parse(first!), 3_600_000);
    const again = await berth("preview");
    assert.equal(again.code, 0, again.text);
    assert.doesNotMatch(again.text, /will (make|change|replace|remove)/);
  });

  it("does not move to another region while it stands", async () => {
    const file = join(account.root, "stacks", `Pulumi.${stack}.yaml`);
    const text = await readFile(file, "utf8");
    await writeFile(file, text.replace("us-east-1", "us-west-2"));
    const { code, text: said } = await berth("up");
    await writeFile(file, text);
    assert.notEqual(code, 0);
    assert.match(said, /stands in us-east-1, and its file says us-west-2/);
    assert.match(said, /Set aws:region back to us-east-1/);
  });

  it("takes down what another region holds of it, and says which regions were asked", async () => {
    const elsewhere = new ec2.EC2Client(settingsFor(account.cloud, "us-west-2"));
    const tags = { "berth:stack": stack, "berth:run-id": await runId() };
    const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
    const { VolumeId } = await elsewhere.send(
      new ec2.CreateVolumeCommand({
        ...{ AvailabilityZone: "us-west-2a", Size: 8 },
        TagSpecifications: [{ ResourceType: "volume", Tags }],
      }),
    );
    const { code, text } = await berth("down", "--yes");
    assert.equal(code, 0, text);
    assert.match(text, /the same by tag in 2 other regions: eu-west-1, us-west-2/);
    assert.ok(text.includes(`by its tag: ec2 volume ${VolumeId}`), text);
    const { Volumes = [] } = await elsewhere.send(new ec2.DescribeVolumesCommand({}));
    assert.deepEqual(Volumes, []);
    for (const region of regions)
      assert.deepEqual(await walkAccount(settingsFor(account.cloud, region), stack), []);
  });
});
