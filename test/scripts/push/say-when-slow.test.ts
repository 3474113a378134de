import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { sayWhenSlow } from "../../../scripts/push/say-when-slow.ts";
import { quietTerminal } from "./support.ts";

describe("sayWhenSlow", () => {
  it("says once who is waited for, and gives the answer or the refusal", async () => {
    const { terminal, lines } = quietTerminal();
    const wait = { terminal, whom: "S3", afterMs: 5 };
    assert.equal(await sayWhenSlow(sleep(40, "answer"), wait), "answer");
    assert.deepEqual(lines, ["waiting    for S3 ..."]);
    const refusal = sleep(40).then(() => Promise.reject(new Error("refused")));
    await assert.rejects(sayWhenSlow(refusal, wait), /refused/);
    assert.equal(lines.length, 2);
  });

  it("says nothing of an answer that comes in time, or is refused in time", async () => {
    const { terminal, lines } = quietTerminal();
    const wait = { terminal, whom: "S3", afterMs: 5 };
    assert.equal(await sayWhenSlow(Promise.resolve(1), wait), 1);
    await assert.rejects(sayWhenSlow(Promise.reject(new Error("no")), wait), /no/);
    await sleep(20);
    assert.deepEqual(lines, []);
  });

  it("waits no more once the user stops it, whatever becomes of the answer", async () => {
    const { terminal } = quietTerminal();
    const stop = new AbortController();
    const late = sleep(30).then(() => Promise.reject(new Error("late")));
    const waiting = sayWhenSlow(late, { terminal, whom: "S3", signal: stop.signal });
    stop.abort(new Error("stopped"));
    await assert.rejects(waiting, /stopped/);
    await sleep(40);
    const before = sayWhenSlow(sleep(30), { terminal, whom: "S3", signal: stop.signal });
    await assert.rejects(before, /stopped/);
  });
});
