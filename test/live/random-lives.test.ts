import assert from "node:assert/strict";
import { rm } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import * as ec2 from "@aws-sdk/client-ec2";
import type { Fault } from "../../offline/cloud/faults.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { freePort, needsSshd } from "../provider/support/sshd.ts";
import { CheckoutAccount } from "./checkout-account.ts";

const stack = "local-life";
/** Lease of the environment `local`. */
const leaseHours = 2;
/** The same seed is the same life, but for what the machine's speed decides. */
const firstSeed = Number(process.env["BERTH_LIVES_SEED"] ?? 1);
const lives = Number(process.env["BERTH_LIVES"] ?? 6);

const faults: readonly (Fault | undefined)[] = [
  undefined,
  { kind: "insufficient-capacity", instanceType: "g4dn.*", times: 6 },
  { kind: "throttle", service: "ec2", times: 6 },
  { kind: "reset", times: 3 },
  // Made, and never told.
  { kind: "cut-body", service: "ec2", operation: "CreateFleet", afterBytes: 20, times: 1 },
  { kind: "access-denied", service: "scheduler", operation: "CreateSchedule", times: 1 },
];

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("random lives of a stack on the engine and the emulated account", function () {
  this.timeout(900_000);
  let account: CheckoutAccount;
  let story: string[];

  before(function () {
    needsSshd(this);
  });
  beforeEach(async () => {
    account = await CheckoutAccount.open();
    story = [];
  });
  afterEach(() => account.close());

  /** Instances that cost. */
  async function live(): Promise<string[]> {
    const Filters = [{ Name: "instance-state-name", Values: ["pending", "running"] }];
    const client = new ec2.EC2Client(settingsFor(account.cloud));
    const { Reservations = [] } = await client.send(new ec2.DescribeInstancesCommand({ Filters }));
    return Reservations.flatMap(({ Instances = [] }) => Instances.map((each) => each.InstanceId!));
  }

  async function up(killAfterMs?: number): Promise<void> {
    const running = account.start("up", "--env", stack);
    if (killAfterMs !== undefined) {
      await Promise.race([pause(killAfterMs), running.ended]);
      running.kill();
    }
    const { code, text } = await running.ended;
    story.push(`up, killed after ${killAfterMs ?? "no"} ms: ${code}\n${text.slice(-600)}`);
    // What is refused or cut off is said; berth itself does not break.
    assert.doesNotMatch(text, /berth itself failed/, story.join("\n"));
  }

  async function liveOne(random: () => number): Promise<void> {
    const fault = faults[Math.floor(random() * faults.length)];
    if (fault !== undefined) account.cloud.setFault(fault);
    story.push(`fault ${JSON.stringify(fault ?? null)}`);
    const chance = (share: number): boolean => random() < share;
    const killAfterMs = chance(0.6) ? 3000 + random() * 25_000 : undefined;
    if (chance(0.2)) await Promise.all([up(killAfterMs), up()]);
    else await up(killAfterMs);
    if (chance(0.5)) await up();
    account.cloud.clearFaults();
    const ids = await live();
    assert.ok(ids.length <= 1, `${ids.length} hosts are paid\n${story.join("\n")}`);
    if (ids.length > 0 && chance(0.3)) {
      story.push("taken back by spot");
      const client = new ec2.EC2Client(settingsFor(account.cloud));
      await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: ids }));
      if (chance(0.5)) await up();
    }
    if (chance(0.3)) {
      story.push("the state is lost");
      await rm(account.backend, { recursive: true, force: true });
    }
  }

  /** Past the deadline and a quarter of an hour, a few minutes at a time, as the sweeps come. */
  async function passDeadline(): Promise<void> {
    await account.cloud.advanceClock(leaseHours * 3600 + 60);
    for (let minutes = 0; minutes < 15; minutes += 3) {
      await pause(1500);
      await account.cloud.advanceClock(180);
    }
    const end = Date.now() + 30_000;
    while ((await live()).length > 0 && Date.now() < end) await pause(500);
    assert.deepEqual(await live(), [], `past the deadline\n${story.join("\n")}`);
  }

  for (let seed = firstSeed; seed < firstSeed + lives; seed++) {
    it(`leaves nothing that costs past its deadline, and nothing after down: seed ${seed}`, async () => {
      const random = randomOf(seed);
      await account.init(stack, `serverPort=${await freePort()}`);
      await liveOne(random);
      if (random() < 0.5) {
        story.push("the deadline passes");
        await passDeadline();
      }
      const down = await account.berth("down", "--env", stack, "--yes");
      story.push(down.text);
      assert.equal(down.code, 0, story.join("\n"));
      const left = (await account.cloud.leftovers()).filter(({ service }) => service !== "s3");
      assert.deepEqual(left, [], story.join("\n"));
    });
  }
});
