import assert from "node:assert/strict";
import { LocalStack } from "./local-stack.ts";

/** What is done to an endpoint reaches the notebook instance beside it, by the commands that a person types. */
describe("an endpoint with a notebook beside it, in the emulated cloud", function () {
  // A loaded machine takes minutes for what a free one does in one.
  this.timeout(1_200_000);
  let local: LocalStack;
  before(async () => {
    local = await LocalStack.start("local-endpoint-notebook");
  });
  after(() => local.stop());

  const berth = (...words: string[]) => local.berth(...words);

  it("protects it, lets it rest with the endpoint, starts it by itself alone, and leaves neither", async () => {
    await local.settings("realtime", "notebookType=ml.t3.medium");
    assert.match(await berth("up"), /endpoint +\S+ on ml\.g4dn\.xlarge/);
    const protectedBy = await berth("protect");
    assert.match(
      protectedBy,
      /berth:protect of the endpoint\s+the tag berth:protect of the notebook/,
    );
    assert.match(await berth("stop"), /is protected/);
    assert.match(await berth("protect", "--off"), /berth:protect of the notebook/);
    assert.match(
      await berth("stop"),
      /notebook +stopped[^]*stopped .* its model and configuration/,
    );
    assert.match(await berth("start"), /is in service[^]*notebook +rests until/);
    assert.match(await berth("notebook"), /address +https/);
    assert.match(await berth("down", "--yes"), /receipt +0 left/);
  });
});
