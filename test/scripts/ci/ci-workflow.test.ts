import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { commentMarker, workflowFiles } from "../../../scripts/ci/ci-workflow.ts";

interface Step {
  readonly name?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly jobs: Readonly<
    Record<string, { readonly if?: string; readonly steps: readonly Step[] }>
  >;
}

function workflows(officeHours: boolean): readonly [teardown: Workflow, preview: Workflow] {
  const target = { stack: "dev-alice", region: "eu-west-1", officeHours };
  const [teardown, preview] = workflowFiles(target).map(({ text }) => parse(text) as Workflow);
  assert.ok(teardown !== undefined && preview !== undefined);
  return [teardown, preview];
}

function runsOf({ jobs }: Workflow): readonly string[] {
  return Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []));
}

describe("workflowFiles", () => {
  const [teardown, preview] = workflows(false);

  it("runs down every hour for a lease that is over, one run at a time", () => {
    assert.deepEqual(teardown.permissions, { contents: "read", "id-token": "write" });
    const group = "berth-dev-alice";
    assert.deepEqual(teardown.concurrency, { group, "cancel-in-progress": false });
    assert.deepEqual(runsOf(teardown), [
      "npm run berth -- down --env dev-alice --if-over --yes",
      "npm run berth -- audit --env dev-alice --own --fix --yes",
    ]);
  });

  it("takes a stack with office hours down at night too", () => {
    const [down] = runsOf(workflows(true)[0]);
    assert.equal(down, "npm run berth -- down --env dev-alice --if-over --if-closed --yes");
  });

  it("previews pull requests of the repository's own branches, with no right to write code", () => {
    assert.deepEqual(Object.keys(preview.on), ["pull_request"]);
    const { permissions, jobs } = preview;
    assert.deepEqual(permissions, {
      contents: "read",
      "id-token": "write",
      "pull-requests": "write",
    });
    assert.match(jobs["preview"]?.if ?? "", /head\.repo\.full_name == github\.repository/);
  });

  it("holds no key, and puts nothing that a pull request says into a script", () => {
    for (const { text } of workflowFiles({ stack: "dev", region: "us-east-1" })) {
      assert.doesNotMatch(text, /AKIA|AWS_SECRET|access-key/i);
    }
    for (const run of [...runsOf(teardown), ...runsOf(preview)]) assert.doesNotMatch(run, /\$\{\{/);
  });

  it("is what examples/ci shows", () => {
    const target = { stack: "dev", region: "us-east-1", officeHours: true };
    for (const { name, text } of workflowFiles(target)) {
      assert.equal(readFileSync(join("examples/ci", name), "utf8"), text);
    }
  });
});

describe("the preview's comment", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-comment-"));
    writeFileSync(join(folder, "preview.md"), `${commentMarker("dev-alice")}\nnew\n`);
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs the step with a stand-in for `gh`, whose answer to a list is what jq gives for these comments. */
  function comment(found: string): string {
    const step = Object.values(workflows(false)[1].jobs)[0]?.steps.find(
      (each) => each.name === "Comment",
    );
    assert.ok(step?.run !== undefined);
    const gh = join(folder, "gh");
    writeFileSync(
      gh,
      `#!/bin/sh\necho "$@" >>calls\ncase "$*" in *--paginate*) printf '%s' '${found}' ;; esac\n`,
    );
    chmodSync(gh, 0o755);
    const PATH = `${folder}:${process.env["PATH"] ?? ""}`;
    const env = { PATH, ISSUE: "repos/o/r/issues/7", COMMENTS: "repos/o/r/issues/comments" };
    execFileSync("bash", ["-eo", "pipefail", "-c", step.run], { cwd: folder, env });
    return readFileSync(join(folder, "calls"), "utf8").trim().split("\n").at(-1) ?? "";
  }

  it("is made once, and rewritten by later runs", () => {
    assert.equal(
      comment(""),
      "api --method POST repos/o/r/issues/7/comments -F body=@preview.md --silent",
    );
    const again = comment("41\n42\n");
    assert.equal(
      again,
      "api --method PATCH repos/o/r/issues/comments/41 -F body=@preview.md --silent",
    );
  });
});
