import assert from "node:assert/strict";
import type { TrainingTarget } from "../contracts/training.ts";
import { until } from "../offline/cloud/account.ts";
import { CheckoutAccount } from "./checkout-account.ts";
import { HostTarget } from "./training/host-target.ts";
import { JobTarget } from "./training/job-target.ts";
import { standInImage } from "./training/stand-in.ts";

const env = "local-tr";

/** The same folder, by name and samples, has the same place in S3 from a host and from a job. */
describe("a fine-tuning that is begun on one target and ended on the other", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(600_000);
  let account: CheckoutAccount;
  const hosts: HostTarget[] = [];
  before(async () => {
    account = await CheckoutAccount.open(async (folder) => [await standInImage(folder)]);
    await account.init(env, "leaseHours=6");
  });
  after(async () => {
    for (const host of hosts) host.close();
    await account.close();
  });

  async function hostFor(name: string): Promise<HostTarget> {
    const host = new HostTarget(account.cloud, "walk-weights", name);
    hosts.push(host);
    await host.prepare();
    return host;
  }

  /** Starts, ends in order after some steps. @returns the step of its checkpoint */
  async function begin(target: TrainingTarget): Promise<number> {
    const run = target.run();
    await until(async () => (await target.state()).progress.length > 0, 300);
    await target.stop();
    await run;
    return (await target.state()).progress.at(-1)?.step ?? 0;
  }

  it("goes on as a job from what a host kept, and to its end", async () => {
    const host = await hostFor("crossing");
    const step = await begin(host);
    await host.lose();
    const job = new JobTarget(account, env, "crossing");
    assert.match(await job.run(), new RegExp(`from step ${step}\\b`));
    assert.equal((await job.state()).progress.at(-1)?.step, step + 15);
    assert.match(await host.run(), /from S3 +the result/);
  });

  it("goes on on a host from what a job kept, and to its end", async () => {
    const back = await hostFor("back");
    const job = new JobTarget(account, env, "back");
    const step = await begin(job);
    assert.match(await back.run(), new RegExp(`from step ${step}\\b`));
    assert.equal((await back.state()).progress.at(-1)?.step, step + 15);
    assert.match((await job.train("start")).text, /the result is in s3:[^]*nothing was started/);
  });
});
