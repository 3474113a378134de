import assert from "node:assert/strict";
import { setTimeout as pause } from "node:timers/promises";
import { Source } from "../../../scripts/dashboard/source.ts";

describe("Source", () => {
  let now = Date.parse("2026-11-25T12:00:00Z");
  const clock = () => now;
  let changes = 0;
  const changed = () => {
    changes += 1;
  };

  it("is empty before it was asked, and says when its value was read", async () => {
    const source = new Source({ read: () => Promise.resolve(7), everyMs: 1000, clock, changed });
    assert.deepEqual(source.reading, {});
    await source.refresh();
    assert.deepEqual(source.reading, { value: 7, at: "2026-11-25T12:00:00.000Z" });
    assert.equal(changes, 1);
  });

  it("keeps its value when it fails, with its age, and says since when", async () => {
    let fails = false;
    const read = () => (fails ? Promise.reject(new Error("down\nand out")) : Promise.resolve(7));
    const source = new Source({ read, everyMs: 1000, clock, changed });
    const at = new Date(now).toISOString();
    await source.refresh();
    fails = true;
    now += 5000;
    await source.refresh();
    const problemAt = new Date(now).toISOString();
    assert.deepEqual(source.reading, { value: 7, at, problem: "down", problemAt });
    fails = false;
    now += 5000;
    await source.refresh();
    assert.equal(source.reading.problem, undefined);
  });

  it("takes a call that throws for a failure", async () => {
    const read = (): Promise<number> => {
      throw new Error("at once");
    };
    const source = new Source({ read, everyMs: 1000, clock, changed });
    await source.refresh();
    assert.equal(source.reading.problem, "at once");
  });

  it("is asked once at a time, and not before it is due", async () => {
    let asked = 0;
    const read = async () => {
      asked += 1;
      await pause(5);
      return asked;
    };
    const source = new Source({ read, everyMs: 1000, clock, changed });
    await Promise.all([source.refresh(), source.refresh()]);
    await source.refresh();
    assert.equal(asked, 1);
    now += 1000;
    await source.refresh();
    assert.equal(asked, 2);
  });

  it("gives up on what does not answer, so that it can be asked anew", async () => {
    const read = () => new Promise<number>(() => undefined);
    const source = new Source({ read, everyMs: 0, patienceMs: 10, clock, changed });
    await source.refresh();
    assert.equal(source.reading.problem, "no answer within 0.01 s");
  });
});
