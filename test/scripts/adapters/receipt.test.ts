import assert from "node:assert/strict";
import { isClean, makeReceipt, receiptLines } from "../../../scripts/adapters/receipt.ts";

describe("makeReceipt", () => {
  it("proves nothing when the account does not answer", async () => {
    const client = {
      region: "us-east-1",
      endpoint: "http://127.0.0.1:9",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
      maxAttempts: 1,
    };
    const scope = { stack: "dev", region: "us-east-1", client };
    const receipt = await makeReceipt(scope, { attempts: 1, pauseMs: 0 });
    assert.equal(receipt.left.length, 0);
    assert.equal(receipt.unanswered.length, receipt.asked.length);
    assert.equal(isClean(receipt), false);
    assert.match(receiptLines(receipt).join("\n"), /no answer: EC2 instance/);
  });
});
