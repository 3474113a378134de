import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import type { TrainingTarget } from "../../contracts/training.ts";
import type { CheckoutAccount, Ended } from "../checkout-account.ts";
import { writeStandIn } from "./stand-in.ts";

const stateSchema = z.object({
  job: z.looseObject({ status: z.string(), name: z.string() }),
  progress: z.array(
    z.looseObject({
      ...{ step: z.number(), steps: z.number(), time: z.number() },
      ...{ loss: z.number().optional(), checkpoint: z.number().optional() },
    }),
  ),
  finished: z.looseObject({ result: z.string() }).optional(),
});

/** A training job of the emulated cloud, by the commands that a person types. */
export class JobTarget implements TrainingTarget {
  readonly folder: string;
  readonly #account: CheckoutAccount;
  readonly #env: string;

  constructor(account: CheckoutAccount, env: string, name: string, change: object = {}) {
    this.#account = account;
    this.#env = env;
    this.folder = join(account.folder, name);
    writeStandIn(this.folder, change);
  }

  /** `berth train <action> <folder>` with more words. */
  train(action: string, ...words: readonly string[]): Promise<Ended> {
    const where = [this.folder, "--env", this.#env];
    return this.#account.berth("train", action, ...where, ...words);
  }

  async run(...words: readonly string[]): Promise<string> {
    const { code, text } = await this.train("start", "--target", "sagemaker", ...words);
    assert.equal(code, 0, text);
    return text;
  }

  async state() {
    const { code, stdout } = await this.train("status", "--json");
    if (code !== 0) return { progress: [], finished: undefined };
    const { progress, finished } = stateSchema.parse(JSON.parse(stdout));
    return { progress, finished };
  }

  async stop(): Promise<void> {
    const { code, text } = await this.train("stop");
    assert.equal(code, 0, text);
  }

  async fetch(): Promise<string> {
    const { code, stdout, text } = await this.train("fetch", "--json");
    assert.equal(code, 0, text);
    return z.object({ folder: z.string() }).parse(JSON.parse(stdout)).folder;
  }

  /** Every run of a job has instances of its own. */
  lose(): Promise<void> {
    return Promise.resolve();
  }
}
