import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { trainsAsAgreed } from "../contracts/training.ts";
import { settingsFor } from "../offline/cloud/account.ts";
import { CheckoutAccount } from "./checkout-account.ts";
import { HostTarget } from "./training/host-target.ts";
import { JobTarget } from "./training/job-target.ts";
import { standInImage } from "./training/stand-in.ts";
import { incompleteTags, walkAccount } from "./walk-account.ts";

const env = "local-tr";

describe("a folder of a fine-tuning", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(600_000);
  let account: CheckoutAccount;
  before(async () => {
    account = await CheckoutAccount.open(async (folder) => [await standInImage(folder)]);
    await account.init(env, "leaseHours=6");
  });
  after(() => account.close());

  describe("on a GPU host", () => {
    let host: HostTarget;
    before(async () => {
      host = new HostTarget(account.cloud, "walk-weights");
      await host.prepare();
    });
    after(() => {
      host.close();
    });
    trainsAsAgreed(() => host);
  });

  describe("as a job of SageMaker", () => {
    let job: JobTarget;
    before(() => {
      job = new JobTarget(account, env, "on-job");
    });
    trainsAsAgreed(() => job);

    it("has an end that nobody moves", async () => {
      const extended = await account.berth("extend", "2h", "--env", `${env}-train-on-job`);
      assert.equal(extended.code, 1);
      assert.match(extended.text, /cannot be moved[\s\S]*train stop <the folder of on-job>/);
    });

    it("says why it failed, with the last lines, and leaves nothing when it is taken down", async () => {
      const wrong = new JobTarget(account, env, "wrong");
      writeFileSync(join(wrong.folder, "wrong"), "");
      account.cloud.setFault({ kind: "quota", service: "sagemaker", times: 1 });
      const short = await wrong.train("start", "--target", "sagemaker");
      account.cloud.clearFaults();
      assert.equal(short.code, 1);
      assert.match(short.text, /"ml\.g6\.xlarge for spot training job usage" is 0/);
      const failed = await wrong.train("start", "--target", "sagemaker", "--instances", "2");
      assert.equal(failed.code, 3, failed.text);
      assert.deepEqual(await incompleteTags(account.cloud, `${env}-train-wrong`), []);
      const walked = await walkAccount(settingsFor(account.cloud), `${env}-train-wrong`);
      assert.ok(walked.some(({ kind }) => kind === "training job"));
      assert.match(failed.text, /AlgorithmError: [^!]*ValueError: the samples have no column text/);
      for (const stack of ["on-job", "wrong"]) {
        const down = await account.berth("down", "--env", `${env}-train-${stack}`, "--yes");
        assert.match(down.text, /receipt +0 left/, down.text);
      }
      const left = await account.cloud.leftovers();
      const own = left.map(({ id }) => id).filter((id) => id.includes(`${env}-train`));
      assert.deepEqual(own, []);
    });
  });
});
