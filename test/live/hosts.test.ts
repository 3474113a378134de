import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as ec2 from "@aws-sdk/client-ec2";
import type { Cloud } from "../../offline/cloud/cloud.ts";
import { settingsFor, until } from "../offline/cloud/account.ts";
import { freePort, needsSshd } from "../provider/support/sshd.ts";
import { CheckoutAccount, type Ended } from "./checkout-account.ts";

const stack = "local-pair";

/** Stands for a training: the first node writes the result, the others end in order. */
const trainer = `#!/usr/bin/env bash
cd "$(dirname "$0")"
mkdir -p output
echo "node $NODE_RANK of $NNODES meets at $MASTER_ADDR"
echo "part $NODE_RANK" >"output/part-$NODE_RANK"
[ "$NODE_RANK" = 0 ] || exit 75
echo '{"step": 1, "steps": 1, "time": 0, "loss": 1.5}' >output/progress.jsonl
echo '{"result": "adapter"}' >output/finished.json
`;

describe("a stack of two hosts", function () {
  this.timeout(600_000);
  let account: CheckoutAccount;
  let cloud: Cloud;
  let client: ec2.EC2Client;

  before(async function () {
    needsSshd(this);
    account = await CheckoutAccount.open();
    ({ cloud } = account);
    client = new ec2.EC2Client(settingsFor(cloud));
    const port = await freePort();
    await account.init(stack, `serverPort=${port}`, "hosts=2", "spot=true");
  });
  after(() => account.close());
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

  /** The instance that comes to the one that is left. */
  async function liveAgain(left: string): Promise<string> {
    const others = async () => (await live()).filter((each) => each !== left);
    await until(async () => (await others()).length === 1, 300);
    return (await others())[0]!;
  }

  it("comes up whole, at twice the price, and every host answers", async () => {
    const up = await done("up");
    assert.match(up, /hosts +2 of it in one zone, all or none/);
    assert.match(up, /host 0 +\S+ i-\w+ at [\s\S]*host 1 +\S+ i-\w+ at /);
    assert.equal((await live()).length, 2);
    const status = await done("status");
    assert.match(status, /host 0 +running[\s\S]*host 1 +running/);
    assert.match(status, /answers 0 +yes[\s\S]*answers 1 +yes/);
    assert.match(status, /armed +(\d+) of \1 layers/);
    for (const host of ["0", "1"]) {
      await done("invoke", "hi", "--max-tokens", "2", "--host", host);
    }
    const none = await berth("ssh", "--host", "2", "--", "true");
    assert.equal(none.code, 1);
    assert.match(none.text, /no such host[\s\S]*Its hosts are 0, 1/);
  });

  /** A folder of a fine-tuning with the stand-in. @returns its path */
  async function writeJob(name: string, change: object = {}): Promise<string> {
    const job = join(account.folder, name);
    await mkdir(job);
    const facts = { schemaVersion: 1, modelId: "demo-llama-60m", baseModel: "x/y", gated: false };
    const files = {
      "job.json": JSON.stringify({ ...facts, ...change }),
      "run.sh": trainer,
      "train.py": "",
      "training.yaml": "",
      "requirements.txt": "",
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(job, name), text);
    await chmod(join(job, "run.sh"), 0o755);
    return job;
  }

  it("trains on both as the nodes of one job", async () => {
    const job = await writeJob("job");
    const text = await done("train", "start", job);
    for (const rank of [0, 1]) {
      assert.match(text, new RegExp(`^${rank}: node ${rank} of 2 meets at 127\\.`, "m"));
    }
    assert.match(text, /fetch it/);
    assert.match(await done("train", "status", job), /finished/);
  });

  it("trains what each of them writes a part of on storage that they share alone", async () => {
    const job = await writeJob("parts", { workload: { sharding: "zero-3" } });
    const refused = await berth("train", "start", job);
    assert.equal(refused.code, 1);
    assert.match(refused.text, /by DeepSpeed on several hosts[\s\S]*--shared-storage \/fsx/);
    const shared = join(account.folder, "fsx");
    const text = await done("train", "start", job, "--shared-storage", shared);
    assert.match(text, /^shared +\S+\/fsx\/parts holds the output of all hosts$/m);
    for (const rank of [0, 1]) {
      assert.equal(await readFile(join(shared, `parts/part-${rank}`), "utf8"), `part ${rank}\n`);
    }
    assert.match(await done("train", "status", job), /finished/);
  });

  it("gets one back that spot took, in its place, while the other stays as it is", async () => {
    const before = await live();
    const lost = before[1]!.split(" ")[1]!;
    await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [lost] }));
    const preview = await done("preview");
    assert.match(preview, new RegExp(`host 1 +${lost} has ended; an up makes another`));
    assert.match(preview, /will make +local-pair-host-1 /);
    assert.doesNotMatch(preview, /will \S+ +local-pair-host-0/);
    // The next one has another GPU than it should.
    const up = account.start("up", "--env", stack);
    const [, id = ""] = (await liveAgain(before[0]!)).split(" ");
    const gpu = join(cloud.folder, "machines", id, "root/etc/berth-gpu");
    let sound = "";
    await until(async () => {
      sound = await readFile(gpu, "utf8").catch(() => "");
      return /^count=.+\n/m.test(sound);
    });
    await writeFile(gpu, sound.replace(/^count=.*$/m, "count=7"));
    const refused = await up.ended;
    assert.equal(refused.code, 3, refused.text);
    assert.match(refused.text, /FAILED create +local-pair-host-1-bootstrap[\s\S]*E_GPU_COUNT/);
    assert.doesNotMatch(refused.text, /FAILED \S+ +local-pair-host-0/);
    assert.deepEqual((await live()).slice(0, 1), before.slice(0, 1));
    await writeFile(gpu, sound);
    await done("up");
    const after = await live();
    assert.deepEqual([after.length, after[0]], [2, before[0]]);
    assert.match(after[1]!, /^1 i-/);
    assert.match(await done("status"), /answers 0 +yes[\s\S]*answers 1 +yes/);
  });

  it("ends on every host at the deadline, and then goes without a trace", async () => {
    assert.equal((await live()).length, 2);
    await cloud.advanceClock(2 * 3600 + 60);
    assert.deepEqual(await live(), []);
    const down = await done("down", "--yes");
    assert.match(down, /0 left|nothing is left|none/i);
    assert.deepEqual(await live(), []);
    assert.deepEqual(
      (await cloud.leftovers()).filter(({ service }) => service === "ec2"),
      [],
    );
  });
});
