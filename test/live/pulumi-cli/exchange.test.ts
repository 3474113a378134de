import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import {
  integrityProblems,
  Project,
  secretText,
  type Ended,
} from "../../offline/runner/shell/project.ts";

// Last, so that the CLI's own language host is taken where it was installed along with it.
const path = [process.env["PATH"] ?? "", join(import.meta.dirname, "bin")].join(delimiter);
const unchanged = ["preview", "--expect-no-changes"];

describe("The Pulumi CLI and the runner, on one state", () => {
  let project: Project;

  const cli = async (...args: string[]): Promise<Ended> => {
    const environment = {
      PATH: path,
      PULUMI_SKIP_UPDATE_CHECK: "true",
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    };
    return good(await project.run([...args, "--non-interactive"], environment, "pulumi"));
  };
  const runner = async (...args: string[]): Promise<Ended> => good(await project.run(args));

  function good(ended: Ended): Ended {
    assert.equal(ended.code, 0, ended.stdout + ended.stderr);
    return ended;
  }

  before(() => {
    const { error } = spawnSync("pulumi", ["version"]);
    assert.equal(error, undefined, "needs a `pulumi` on the PATH: docs/runner.md says how");
  });
  beforeEach(async () => {
    project = new Project();
    await runner("stack", "init", "dev");
    await runner("config", "set", "--secret", "password", secretText);
  });
  afterEach(() => {
    project.remove();
  });

  it("the CLI finds nothing to do after the runner", async () => {
    await runner("up", "--yes");
    await cli(...unchanged, "--stack", "dev");
    const { stdout } = await cli("stack", "output", "--stack", "dev", "--show-secrets");
    assert.match(stdout, new RegExp(secretText));
    await cli("refresh", "--yes", "--skip-preview", "--expect-no-changes", "--stack", "dev");
  });

  it("the runner finds nothing to do after the CLI", async () => {
    await cli("config", "set", "greeting", "hello", "--stack", "dev");
    await cli("up", "--yes", "--skip-preview", "--stack", "dev");
    const { stdout } = await runner(...unchanged);
    assert.match(stdout, /greeting: "hello"/);
    await runner("refresh", "--yes", "--expect-no-changes");
    assert.ok(!project.written().includes(secretText));
  });

  it("each takes the other's export", async () => {
    await runner("up", "--yes");
    const ours = await runner("stack", "export");
    const file = join(project.folder, "export.json");
    writeFileSync(file, ours.stdout);
    await cli("stack", "import", "--file", file, "--stack", "dev");
    const theirs = await cli("stack", "export", "--stack", "dev");
    assert.deepEqual(integrityProblems(theirs.stdout), []);
    writeFileSync(file, theirs.stdout);
    await runner("stack", "import", "--file", file);
    await runner(...unchanged);
    await cli(...unchanged, "--stack", "dev");
  });

  it("each removes what the other made", async () => {
    await runner("up", "--yes");
    await cli("destroy", "--yes", "--skip-preview", "--stack", "dev");
    await cli("up", "--yes", "--skip-preview", "--stack", "dev");
    await runner("destroy", "--yes");
    await cli("stack", "rm", "--yes", "--stack", "dev");
  });
});
