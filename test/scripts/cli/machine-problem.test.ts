import assert from "node:assert/strict";
import { open } from "node:fs/promises";

let problems: typeof import("../../../scripts/cli/machine-problem.ts");
let explained: typeof import("../../../scripts/cli/command-error.ts");
let offline: typeof import("../../../offline/offline-error.ts");
before(async () => {
  problems = await import("../../../scripts/cli/machine-problem.ts");
  explained = await import("../../../scripts/cli/command-error.ts");
  offline = await import("../../../offline/offline-error.ts");
});

describe("what the machine refuses", () => {
  it("is told without a stack, with its place", () => {
    const error = Object.assign(new Error("ENOSPC: no space left on device"), {
      code: "ENOSPC",
      path: "/data/weights.tmp",
    });
    const { text, code } = explained.explainError(new Error("upload failed", { cause: error }));
    assert.equal(code, 1);
    assert.match(text, /^The disk is full: \/data\/weights\.tmp\.\n {2}Make room/);
  });

  it("is told for a device that is full in fact", async function () {
    if (process.platform !== "linux") this.skip();
    const full = await open("/dev/full", "w");
    const error = await full.writeFile("x").catch((failure: unknown) => failure);
    await full.close();
    assert.match(problems.machineProblem(error)?.message ?? "", /^The disk is full/);
  });

  it("is told of a host that is gone, with the way to ask, and no stack of berth's own", async () => {
    const ssh = await import("../../../provider/adapters/ssh-error.ts");
    const gone = new ssh.SshError("unreachable", "ubuntu@192.0.2.1:22: connect ECONNREFUSED");
    const { text } = explained.explainError(new Error("asked", { cause: gone }));
    assert.match(
      text,
      /over SSH: ubuntu@192\.0\.2\.1:22: connect ECONNREFUSED\n {2}.*berth -- status/,
    );
    const key = new ssh.SshError("credentials", "there is no SSH key");
    assert.doesNotMatch(explained.explainError(key).text, /please report|at new/);
  });

  it("leaves a mistake of the program what it is", () => {
    assert.equal(problems.machineProblem(new TypeError("x is undefined")), undefined);
    assert.match(explained.explainError(new TypeError("x")).text, /please report this/);
  });

  it("tells an error of the emulation as the user's to solve", () => {
    const { text } = explained.explainError(new offline.OfflineError("No Python.", "Install it."));
    assert.equal(text, "No Python.\n  Install it.");
  });
});
