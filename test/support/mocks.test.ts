import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { LeaseRecord } from "../../components/lease-record.ts";
import { underMocks, valueOf } from "./mocks.ts";

describe("the mocks", () => {
  it("let a failing assertion in an awaited output fail", async () => {
    const { result } = await underMocks(() => pulumi.output(1));
    const checked = result.apply((value) => {
      assert.equal(value, 2);
    });
    await assert.rejects(valueOf(checked), assert.AssertionError);
  });

  it("record a resource whose inputs come late", async () => {
    const late = new Promise<string>((resolve) => setTimeout(resolve, 20, "later"));
    const run = await underMocks(() => {
      new LeaseRecord("late", { startedAt: late, expiresAt: "", owner: "me", runId: "" });
    });
    assert.equal(run.named("late").inputs["startedAt"], "later");
  });
});
