import assert from "node:assert/strict";
import { describeProgress } from "../../provider/sync-text.ts";

describe("What the log says of a sync", () => {
  const progress = { ready: 3e9, total: 12e9, received: 3e9 };

  it("says how far, how fast and how long", () => {
    assert.equal(
      describeProgress.line(progress, 1.5e9),
      "weights: 25 % of 12.0 GB, 1.5 GB/s, 6 s left",
    );
    assert.equal(
      describeProgress.line({ ...progress, ceiling: { of: "disk", bytesPerSecond: 2e9 } }, 1e8),
      "weights: 25 % of 12.0 GB, 100.0 MB/s (5 % of what the disk takes), 1 min 30 s left",
    );
    assert.match(describeProgress.line(progress, 1e6), /2 h 30 min left$/);
  });

  it("promises no end while nothing comes", () => {
    assert.equal(describeProgress.line(progress, 0), "weights: 25 % of 12.0 GB, 0 B/s");
  });

  it("writes a line each time that the seconds have passed, and says that it waits", () => {
    const lines: string[] = [];
    const follow = describeProgress.follow(0, (line) => lines.push(line));
    follow('@waiting {"pid":"1"}');
    follow("a word of the system");
    follow(`@progress ${JSON.stringify(progress)}`);
    assert.equal(lines.length, 2);
    assert.match(lines[0] ?? "", /waits/);
    assert.match(lines[1] ?? "", /^weights: 25 %/);
    const rarely: string[] = [];
    describeProgress.follow(60, (line) => rarely.push(line))(
      `@progress ${JSON.stringify(progress)}`,
    );
    assert.deepEqual(rarely, []);
  });
});
