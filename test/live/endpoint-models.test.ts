import assert from "node:assert/strict";
import { until } from "../offline/cloud/account.ts";
import { LocalStack } from "./local-stack.ts";

const model = "demo-llama-60m";

/** Several models and variants on one endpoint by the commands that a person types, through the real engine. */
describe("an endpoint of several models, in the emulated cloud", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(600_000);
  let local: LocalStack;
  beforeEach(async () => {
    local = await LocalStack.start("local-endpoint-models");
  });
  afterEach(() => local.stop());

  const berth = (...words: string[]) => local.berth(...words);

  it("shares requests among variants, moves the traffic alone, has a notebook beside it, and ends", async () => {
    const variants = (share: number) =>
      local.settings(
        "realtime",
        `variants=${JSON.stringify([{ name: "wide", share, concurrency: 2 }])}`,
        "notebookType=ml.t3.medium",
      );
    await variants(10);
    assert.match(await berth("preview"), /variant +wide: 10 % of the requests to demo-llama-60m/);
    assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.xlarge/);
    assert.match(await berth("up"), /done +0 steps/);
    const status = await berth("status");
    assert.match(status, /variant +AllTraffic: 90 % of the requests, demo-llama-60m on 1 instance/);
    assert.match(status, /variant +wide: 10 % of the requests/);
    const asked = ["invoke", "hello", "--max-tokens", "2"];
    assert.match(await berth(...asked, "--variant", "wide"), /\w/);
    assert.match(await berth(...asked, "--variant", "none"), /has no "none"[\s\S]*variant wide/);
    assert.match(await berth(...asked, "--model", model), /has several of "demo-llama-60m"/);

    await variants(40);
    const moved = await berth("up");
    assert.match(moved, /changed +\S+-endpoint-endpoint/);
    assert.doesNotMatch(moved, /replaced +\S+-endpoint-config|made +\S+-endpoint-config/);
    assert.match(await berth("status"), /variant +wide: 40 % of the requests/);

    assert.match(await berth("notebook", "--stop"), /stopped, with its kernels/);
    assert.match(await berth("up"), /done +0 steps/);
    assert.match(await berth("notebook"), /address +https:\/\/local-endpoint-models-\w+\.notebook/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });

  it("has a component for each model, lets one rest beside the other, and leaves none behind", async () => {
    const second = { name: "second", model, weightsPrefix: `${model}/`, minCopies: 1 };
    await local.settings("components", `components=${JSON.stringify([second])}`);
    assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.xlarge/);
    assert.match(
      await berth("status"),
      /component +\S+: InService, 1 copy, \$\S+ of the hour\s+component +\S+: InService, 1 copy, \$/,
    );
    await local.pass(1000);
    await until(async () => (await berth("status")).includes(": InService, 0 copies"), 120);
    assert.match(
      await berth("status"),
      /component +\S+: InService, 1 copy(, \$\S+ of the hour)?\n/,
    );
    await local.pass(31 * 3600);
    assert.match(await berth("status"), /endpoint +gone/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });
});
