import assert from "node:assert/strict";
import { execFileSync, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { needs } from "../support/tier.ts";
import { Project, secretText, shell } from "../offline/runner/shell/project.ts";

const pulumi = join(shell, "bin/pulumi");

/** Starts `pulumi up`, in a process group of its own, and waits until the plugin is at work on the resource. */
async function upInCreate(project: Project): Promise<ChildProcess> {
  const child = spawn(pulumi, ["up", "--yes"], {
    cwd: project.folder,
    env: { ...process.env, ...project.environment },
    stdio: "ignore",
    detached: true,
  });
  const calls = join(project.folder, "files/calls.log");
  const until = Date.now() + 120_000;
  while (!existsSync(calls) || !readFileSync(calls, "utf8").includes("create one")) {
    assert.ok(Date.now() < until, "the create never began");
    await pause(50);
  }
  return child;
}

async function ready(): Promise<Project> {
  const project = new Project();
  await project.run(["stack", "init", "dev"]);
  await project.run(["config", "set", "password", secretText, "--secret"]);
  return project;
}

describe("an update that is cut off", function () {
  this.timeout(240_000);
  let project: Project;
  beforeEach(async () => {
    project = await ready();
  });
  afterEach(() => {
    project.remove();
  });

  it("leaves the operation on record when it is killed in a create", async () => {
    await project.run(["config", "set", "delayMs", "60000"]);
    const child = await upInCreate(project);
    process.kill(-(child.pid ?? 0), "SIGKILL");
    await project.run(["config", "rm", "delayMs"]);
    const { stdout } = await project.run(["stack", "export"]);
    const { deployment } = JSON.parse(stdout) as {
      deployment: { pending_operations?: { type: string; resource: { urn: string } }[] };
    };
    const pending = deployment.pending_operations?.map(
      ({ type, resource }) => `${type} ${resource.urn.split("::").at(-1) ?? ""}`,
    );
    assert.deepEqual(pending, ["creating one"]);
    const next = await project.run(["up", "--yes"]);
    assert.match(next.stdout + next.stderr, /pending|interrupted/i);
    await project.run(["refresh", "--yes", "--clear-pending-creates"]);
    const last = await project.run(["up", "--yes"]);
    assert.equal(last.code, 0, last.stderr);
    assert.equal((await project.run(["up", "--yes", "--expect-no-changes"])).code, 0);
  });

  it("keeps a second one out, which says who is at work", async () => {
    await project.run(["config", "set", "delayMs", "12000"]);
    const first = await upInCreate(project);
    const ended = new Promise((done) => first.once("exit", done));
    const listener = createServer().listen(0, "127.0.0.1");
    await once(listener, "listening");
    const address = `tcp://127.0.0.1:${(listener.address() as AddressInfo).port}`;
    const second = await project.run(["up", "--yes", "--event-log", address]);
    assert.equal(second.code, 255);
    assert.match(second.stderr, /currently locked by .*\(pid \d+\)/);
    assert.equal(first.exitCode, null, "the second one ends while the first one works");
    assert.equal(await ended, 0);
    listener.close();
    assert.equal((await project.run(["up", "--yes", "--expect-no-changes"])).code, 0);
  });

  it("ends between two steps on Ctrl-C, and goes on with the same command", async () => {
    await project.run(["config", "set", "delayMs", "3000"]);
    const child = await upInCreate(project);
    const ended = new Promise((done) => child.once("exit", done));
    process.kill(child.pid ?? 0, "SIGINT");
    assert.equal(await ended, 130);
    const history = await project.run(["stack", "history", "--json"]);
    assert.match(history.stdout, /"result": "failed"/);
    const next = await project.run(["up", "--yes"]);
    assert.equal(next.code, 0, next.stderr);
  });

  it("loses nothing on a full disk, and goes on when there is room", function () {
    needs(this, "a file system of its own", canMount(), "unshare cannot mount a tmpfs here");
    mkdirSync(join(project.folder, "full"));
    const script = join(project.folder, "full.sh");
    writeFileSync(
      script,
      `mount -t tmpfs -o size=1m tmpfs full && cp -r state/.pulumi full/ || exit 9
export PULUMI_BACKEND_URL=file://$PWD/full
cat /dev/zero >full/filler 2>/dev/null
"$1" up --yes; echo "without any room: $?"
truncate -s -12k full/filler
"$1" up --yes; echo "with little room: $?"
"$1" stack export >/dev/null; echo "state: $?"
rm full/filler
"$1" refresh --yes --clear-pending-creates >/dev/null; "$1" up --yes; echo "with room: $?"
"$1" up --yes --expect-no-changes; echo "again: $?"
`,
    );
    const said = execFileSync(
      "unshare",
      ["-rm", "sh", "-c", `exec 2>&1; set -- ${pulumi}; . ./full.sh`],
      {
        cwd: project.folder,
        env: { ...process.env, ...project.environment },
        encoding: "utf8",
      },
    );
    assert.match(said, /without any room: 255/);
    assert.match(said, /no space left on device/);
    assert.doesNotMatch(said, /\n {4}at /, "a stack trace is no answer to a full disk");
    assert.match(said, /state: 0/);
    assert.match(said, /with room: 0/);
    assert.match(said, /again: 0/);
  });
});

function canMount(): boolean {
  try {
    execFileSync("unshare", ["-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
