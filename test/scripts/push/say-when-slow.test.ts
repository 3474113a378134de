import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { sayWhenSlow } from "../../../scripts/push/say-when-slow.ts";
import { quietTerminal } from "./support.ts";

describe("sayWhenSlow", () => {
  it("says once who is waited for, and gives the answer or the refusal", async () => {
    const { terminal, lines } = quietTerminal();
    assert.equal(await sayWhenSlow(terminal, "S3", sleep(40, "answer"), 5), "answer");
    assert.deepEqual(lines, ["waiting    for S3 ..."]);
    const refusal = sleep(40).then(() => Promise.reject(new Error("refused")));
    await assert.rejects(sayWhenSlow(terminal, "S3", refusal, 5), /refused/);
    assert.equal(lines.length, 2);
  });

  it("says nothing of an answer that comes in time, or is refused in time", async () => {
    const { terminal, lines } = quietTerminal();
    assert.equal(await sayWhenSlow(terminal, "S3", Promise.resolve(1), 5), 1);
    await assert.rejects(sayWhenSlow(terminal, "S3", Promise.reject(new Error("no")), 5), /no/);
    await sleep(20);
    assert.deepEqual(lines, []);
  });
});
