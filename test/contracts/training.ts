import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { JobState } from "../../scripts/finetune/host-job.ts";
import { until } from "../offline/cloud/account.ts";

/** Something that a folder of a fine-tuning is run on. */
export interface TrainingTarget {
  /** Starts the training, or goes on with it, and follows it. @returns all that was said */
  run(): Promise<string>;
  /** Its steps, while it runs too. */
  state(): Promise<Omit<JobState, "running">>;
  /** Asks it to end in order. */
  stop(): Promise<void>;
  /** Brings what S3 has of it. @returns the folder that came */
  fetch(): Promise<string>;
  /** Ends the machine, so that the next run begins on another. */
  lose(): Promise<void>;
}

/** What every target of a training does, with a folder of `stand-in.ts`. */
export function trainsAsAgreed(target: () => TrainingTarget): void {
  let stoppedAt = 0;

  it("starts, tells its steps while it runs, and ends in order with a checkpoint", async () => {
    const run = target().run();
    await until(async () => (await target().state()).progress.length > 1, 300);
    await target().stop();
    await run;
    const { progress, finished } = await target().state();
    assert.equal(finished, undefined);
    const losses = progress.flatMap(({ loss }) => (loss === undefined ? [] : [loss]));
    assert.ok(losses.length > 1 && losses.at(-1)! < losses[0]!, "the loss falls");
    stoppedAt = progress.at(-1)?.step ?? 0;
    const checkpoint = await target().fetch();
    assert.match(checkpoint, new RegExp(`checkpoint-${stoppedAt}$`));
    const state = readFileSync(join(checkpoint, "state/model.bin"), "utf8");
    assert.equal(state, `weights of ${stoppedAt}\n`);
  });

  it("goes on from it on another machine, and its adapter is fetched", async () => {
    await target().lose();
    assert.match(await target().run(), new RegExp(`from step ${stoppedAt}\\b`));
    const { progress, finished } = await target().state();
    assert.equal(progress.at(-1)?.step, stoppedAt + 15);
    assert.equal(finished?.result, "adapter");
    const adapter = readFileSync(join(await target().fetch(), "adapter.bin"), "utf8");
    assert.equal(adapter, `learnt at ${stoppedAt + 15}\n`);
  });
}
