import assert from "node:assert/strict";
import { needs } from "../../support/tier.ts";
import { inNamespace, leavesNothing, mayMount, RunningDemo } from "./running-demo.ts";

describe("a demo that is cut off", () => {
  let demo: RunningDemo;
  afterEach(() => {
    demo.remove();
  });

  it("leaves nothing after Ctrl-C while the host is being made", async () => {
    demo = new RunningDemo();
    await demo.says(/HostLaunch/);
    demo.signal("SIGINT");
    assert.equal(await demo.code(), 130, demo.output);
    assert.match(demo.output, /what the demo made is being removed/);
    assert.doesNotMatch(demo.output, /please report|not cleaned up/);
    await leavesNothing(demo);
  });
});

describe("a demo on a machine that lacks something", () => {
  let demo: RunningDemo;
  afterEach(() => {
    demo.remove();
  });

  it("says at once that there is no Python, and what to install", async () => {
    demo = new RunningDemo({ BERTH_PYTHON: "/no/python3", XDG_CACHE_HOME: "/proc/none" });
    assert.equal(await demo.code(), 1, demo.output);
    assert.match(demo.output, /needs Python; there is no \/no\/python3/);
    assert.match(demo.output, /apt-get install python3 python3-venv/);
    assert.doesNotMatch(demo.output, /please report|^ +at /m);
    await leavesNothing(demo);
  });

  it("says at once that there is no room on the disk, and how much is needed", async function () {
    needs(this, "a mount namespace", mayMount(), "unshare -rm mount is refused");
    demo = new RunningDemo({}, inNamespace('mount -t tmpfs -o size=50m tmpfs "$TMPDIR"'));
    assert.equal(await demo.code(), 1, demo.output);
    assert.match(demo.output, /not enough room on the disk: 700 MB in .* needed, 5\d MB free/);
    assert.match(demo.output, /TMPDIR/);
    assert.doesNotMatch(demo.output, /please report/);
    await leavesNothing(demo);
  });
});
