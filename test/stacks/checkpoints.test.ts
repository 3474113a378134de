import assert from "node:assert/strict";
import { checkpointsPlace } from "../../stacks/checkpoints.ts";

describe("where a stack keeps checkpoints", () => {
  const place = (asked: Parameters<typeof checkpointsPlace>[0]) => checkpointsPlace(asked, "tiny");

  it("is nowhere, the bucket of the weights, or another one", () => {
    assert.equal(place({}), undefined);
    const prefix = "training/checkpoints/";
    assert.deepEqual(place({ checkpointsPrefix: "training/" }), { bucket: undefined, prefix });
    const asked = { checkpointsPrefix: "training/", checkpointsBucket: "kept" };
    assert.deepEqual(place(asked), { bucket: "kept", prefix });
  });

  it("is not among the weights, whose sync would bring them to the host", () => {
    const refused = /would be taken for weights/;
    assert.throws(() => place({ checkpointsPrefix: "tiny/" }), refused);
    const same = { weightsBucket: "kept", checkpointsBucket: "kept", checkpointsPrefix: "a/b/" };
    assert.throws(() => place({ ...same, weightsPrefix: "a/" }), refused);
    const elsewhere = { ...same, checkpointsBucket: "other", weightsPrefix: "a/" };
    assert.equal(place(elsewhere)?.prefix, "a/b/checkpoints/");
  });

  it("needs a prefix", () => {
    assert.throws(() => place({ checkpointsBucket: "kept" }), /not below which prefix/);
  });
});
