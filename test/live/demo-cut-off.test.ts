import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { needs } from "../support/tier.ts";
import { inNamespace, leavesNothing, mayMount, RunningDemo } from "../scripts/demo/running-demo.ts";

describe("a demo that is cut off", () => {
  const moments = [
    ["while the emulated AWS starts", /emulated AWS: starting moto/],
    ["while the machine is set up", /bootstrap/i],
  ] as const;
  let demo: RunningDemo;
  afterEach(() => {
    demo.remove();
  });

  for (const [moment, sign] of moments) {
    it(`leaves nothing after Ctrl-C ${moment}`, async () => {
      demo = new RunningDemo();
      await demo.says(sign);
      demo.signal("SIGINT");
      assert.equal(await demo.code(), 130, demo.output);
      assert.match(demo.output, /what the demo made is being removed/);
      assert.doesNotMatch(demo.output, /please report|not cleaned up/);
      await leavesNothing(demo);
    });
  }

  it("leaves no process when it is killed, and the next start clears its files", async () => {
    demo = new RunningDemo();
    await demo.says(/bootstrap/i);
    demo.signal("SIGKILL");
    assert.equal(await demo.code(), null);
    while (demo.survivors().length > 0) await pause(100);
    const next = new RunningDemo({ TMPDIR: demo.folder });
    try {
      await next.says(/3\. Up/);
      next.signal("SIGINT");
      assert.equal(await next.code(), 130, next.output);
      assert.match(next.output, /clearing up after process/);
    } finally {
      next.remove();
    }
    await leavesNothing(demo);
  });
});

describe("a demo on a machine that lacks something", () => {
  let demo: RunningDemo;
  afterEach(() => {
    demo.remove();
  });

  for (const [moment, sign] of [
    ["is being made ready", /emulated AWS started/],
    ["is being synced", /bootstrap/i],
  ] as const) {
    it(`says which disk got full while the model ${moment}`, async function () {
      needs(this, "a mount namespace", mayMount(), "unshare -rm mount is refused");
      const script = [
        'mount -t tmpfs -o size=900m tmpfs "$TMPDIR"',
        // The test's word for "now" comes from outside of this namespace's disk.
        `( while [ ! -e "$FILL" ]; do sleep 0.1; done; cat /dev/zero > "$TMPDIR/ballast" ) 2>/dev/null &`,
      ];
      const fill = join("/tmp", `berth-fill-${process.pid}-${Date.now()}`);
      demo = new RunningDemo({ FILL: fill }, inNamespace(script.join("\n")));
      try {
        await demo.says(sign);
        execFileSync("touch", [fill]);
        const code = await demo.code();
        assert.ok(code === 1 || code === 3, `${code}: ${demo.output}`);
        assert.match(
          demo.output,
          /is full: \S+berth-demo-test|The disk of the emulated S3 is full|no space left/i,
        );
        assert.doesNotMatch(demo.output, /please report/);
      } finally {
        execFileSync("rm", ["-f", fill]);
      }
    });
  }
});
