import assert from "node:assert/strict";
import { until } from "../offline/cloud/account.ts";
import { LocalStack } from "./local-stack.ts";

const stack = "local-endpoint-life";

/** The life of one endpoint by the commands that a person types: capacity that lacks, an update, nights, the end. */
describe("an endpoint by hand, in the emulated cloud", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(600_000);
  let local: LocalStack;
  // Each has a cloud of its own, whose clock it moves past the deadline.
  beforeEach(async () => {
    local = await LocalStack.start(stack);
  });
  afterEach(() => local.stop());

  const berth = (...words: string[]) => local.berth(...words);
  const settings = (mode: string, ...pairs: string[]) => local.settings(mode, ...pairs);

  it("comes up on the next type, goes back from a bad update, rests and comes again, and ends", async () => {
    await settings("realtime", "fallbackTypes=1");
    await local.lacksCapacity("ml.g4dn.xlarge", async () => {
      assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.2xlarge/);
    });
    assert.match(await berth("up"), /done +0 steps/);

    await settings("realtime", "fallbackTypes=1", "concurrency=2");
    await local.lacksCapacity(undefined, async () => {
      assert.match(await berth("up"), /went back to \S+, since \S+ failed: .*Capacity/);
    });
    assert.match(await berth("invoke", "hello", "--max-tokens", "2"), /\w/);
    assert.match(await berth("up"), /changed +\S+-endpoint-endpoint/);

    assert.match(await berth("stop"), /stopped .* its model and configuration stay/);
    assert.match(await berth("status"), /endpoint +gone[\s\S]*start it again/);
    assert.match(await berth("up"), /stopped; start it with/);
    assert.match(await berth("start"), /is in service/);

    await local.pass(31 * 3600);
    assert.match(await berth("status"), /endpoint +gone[\s\S]*the endpoint has ended/);
    assert.match(await berth("start"), /The lease of "local-endpoint-life" ended/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });

  it("answers at once by a component, rests, is woken by a question, and ends with it", async () => {
    await settings("components");
    assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.xlarge/);
    assert.match(await berth("up"), /done +0 steps/);
    await local.pass(1000);
    await until(async () => (await berth("status")).includes("that would start an instance"), 120);
    const answer = await berth("invoke", "hello", "--max-tokens", "2");
    assert.match(answer, /waits +no copy of the model runs[\s\S]*\w/);
    assert.match(await berth("stop"), /has its model from an inference component/);

    await local.pass(31 * 3600);
    assert.match(await berth("status"), /endpoint +gone[\s\S]*the endpoint has ended/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });
});
