import assert from "node:assert/strict";
import * as ec2 from "@aws-sdk/client-ec2";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { freePort, hasSshd } from "../provider/support/sshd.ts";
import { needs } from "../support/tier.ts";
import { CheckoutAccount, type Ended } from "./checkout-account.ts";

const stack = "local-pair";

describe("a stack of two hosts", function () {
  this.timeout(600_000);
  let account: CheckoutAccount;
  let cloud: Cloud;
  let client: ec2.EC2Client;

  before(async function () {
    needs(this, "sshd", hasSshd(), "/usr/sbin/sshd is not there; install openssh-server");
    account = await CheckoutAccount.open();
    ({ cloud } = account);
    client = new ec2.EC2Client(settingsFor(cloud));
    const port = await freePort();
    await account.init(stack, `serverPort=${port}`, "hosts=2", "spot=true");
  });
  after(() => account.close());
  afterEach(() => {
    cloud.clearFaults();
  });

  const berth = (command: string, ...words: readonly string[]): Promise<Ended> =>
    account.berth(command, "--env", stack, ...words);

  async function done(command: string, ...words: readonly string[]): Promise<string> {
    const { code, text } = await berth(command, ...words);
    assert.equal(code, 0, text);
    return text;
  }

  /** Ids of the live instances, by their numbers. */
  async function live(): Promise<readonly string[]> {
    const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap(({ Instances = [] }) => Instances)
      .map(({ InstanceId = "", Tags = [] }) => {
        return `${Tags.find(({ Key }) => Key === "berth:host")?.Value} ${InstanceId}`;
      })
      .toSorted();
  }

  it("comes up whole, at twice the price, and every host answers", async () => {
    const preview = await done("preview");
    assert.match(preview, /hosts +2 of it in one zone, all or none/);
    const up = await done("up");
    assert.match(up, /host 0 +\S+ i-\w+ at [\s\S]*host 1 +\S+ i-\w+ at /);
    assert.equal((await live()).length, 2);
    const status = await done("status");
    assert.match(status, /host 0 +running[\s\S]*host 1 +running/);
    assert.match(status, /answers 0 +yes[\s\S]*answers 1 +yes/);
    assert.match(status, /armed +(\d+) of \1 layers/);
    const names: string[] = [];
    for (const host of ["0", "1"]) {
      await done("invoke", "hi", "--max-tokens", "2", "--host", host);
      names.push(await done("ssh", "--host", host, "--", "cat", "$BERTH_ROOT/etc/hostname"));
    }
    assert.notEqual(names[0], names[1]);
    const none = await berth("ssh", "--host", "2", "--", "true");
    assert.equal(none.code, 1);
    assert.match(none.text, /no such host[\s\S]*Its hosts are 0, 1/);
    assert.match(await done("preview"), /difference none/);
  });

  it("gets one back that spot took, in its place, while the other stays as it is", async () => {
    const before = await live();
    const lost = before[1]!.split(" ")[1]!;
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [lost] }));
    assert.match(await done("status"), /host 1 +(terminated|shutting-down|gone)/);
    const preview = await done("preview");
    assert.match(preview, new RegExp(`host 1 +${lost} has ended; an up makes another`));
    assert.doesNotMatch(preview, /will (make|replace|change) +local-pair-host-0-/);
    // There is no place for it in the zone at first.
    cloud.setFault({ kind: "insufficient-capacity", times: 1 });
    const refused = await berth("up");
    assert.equal(refused.code, 3, refused.text);
    assert.match(refused.text, /no instance for host 1; the other hosts stay/);
    assert.deepEqual(await live(), before.slice(0, 1));
    await done("up");
    const after = await live();
    assert.equal(after[0], before[0]);
    assert.match(after[1]!, /^1 i-/);
    assert.notEqual(after[1], before[1]);
    assert.match(await done("status"), /answers 0 +yes[\s\S]*answers 1 +yes/);
  });

  it("goes without a trace, and says so", async () => {
    const down = await done("down", "--yes");
    assert.match(down, /0 left|nothing is left|none/i);
    assert.deepEqual(await live(), []);
    assert.deepEqual(
      (await cloud.leftovers()).filter(({ service }) => service === "ec2"),
      [],
    );
  });
});
