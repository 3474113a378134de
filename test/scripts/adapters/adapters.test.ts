import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ConcurrentUpdateError, type EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { UserError } from "../../../components/user-error.ts";
import { checkPassphrase, findEngine } from "../../../scripts/adapters/engine.ts";
import { openStack } from "../../../scripts/adapters/open-stack.ts";
import { announceCloud, cloudOf, findLocalCloud } from "../../../scripts/adapters/local-cloud.ts";
import { readStackConfig } from "../../../scripts/adapters/stack-file.ts";
import { knownHostsLine, sshArguments } from "../../../scripts/adapters/ssh.ts";
import { runOperation } from "../../../scripts/adapters/run-operation.ts";
import { StepProgress } from "../../../scripts/adapters/step-progress.ts";
import { Terminal } from "../../../scripts/adapters/terminal.ts";
import {
  explainError,
  InterruptedError,
  ProvisioningError,
} from "../../../scripts/cli/command-error.ts";

function recorder(json = false, interactive = false) {
  const written = { out: "", err: "" };
  const terminal = new Terminal(json, {
    out: (text) => (written.out += text),
    err: (text) => (written.err += text),
    interactive,
  });
  return { terminal, written };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-adapters-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

describe("Terminal", () => {
  it("keeps the standard output for the JSON document", () => {
    const { terminal, written } = recorder(true);
    terminal.say("a line");
    terminal.result({ a: 1 });
    assert.deepEqual(JSON.parse(written.out), { a: 1 });
    assert.equal(written.err, "a line\n");
  });

  it("rewrites nothing in a log", () => {
    const { terminal, written } = recorder();
    terminal.status("under way");
    terminal.say("done");
    assert.deepEqual(written, { out: "done\n", err: "" });
  });

  it("takes the status line away before it says something", () => {
    const { terminal, written } = recorder(false, true);
    terminal.status("under way");
    terminal.say("done");
    assert.ok(written.err.endsWith("\r\u001B[2K"));
  });
});

describe("StepProgress", () => {
  const step = (op: string, name: string) =>
    ({
      metadata: { op, urn: `urn:pulumi:dev::berth::t::${name}`, type: "aws:ec2/vpc:Vpc" },
    }) as never;
  const event = (part: Partial<EngineEvent>) => ({ sequence: 1, timestamp: 1, ...part });

  it("says a line for a step that ended, and none for one that did not change", () => {
    const { terminal, written } = recorder();
    const progress = new StepProgress(terminal);
    for (const op of ["create", "same"]) {
      progress.take(event({ resourcePreEvent: step(op, `dev-${op}`) }));
      progress.take(event({ resOutputsEvent: step(op, `dev-${op}`) }));
    }
    progress.close();
    assert.match(written.out, /^ {2}made +dev-create +0\.0 s {2}ec2 Vpc\n$/);
    assert.deepEqual(
      progress.steps.map(({ name, ok }) => [name, ok]),
      [["dev-create", true]],
    );
  });

  it("says one line for all that was only looked at, before what comes of it", () => {
    const { terminal, written } = recorder();
    const progress = new StepProgress(terminal);
    for (const name of ["dev-vpc", "dev-host"]) {
      progress.take(event({ resourcePreEvent: step("refresh", name) }));
      progress.take(event({ resOutputsEvent: step("refresh", name) }));
    }
    progress.take(event({ resourcePreEvent: step("delete", "dev-host") }));
    progress.take(event({ resOutputsEvent: step("delete", "dev-host") }));
    progress.close();
    assert.match(written.out, /^ {2}refreshed +2 resources.*\n {2}removed +dev-host .*\n$/);
    assert.deepEqual(
      progress.steps.map(({ operation }) => operation),
      ["delete"],
    );
  });

  it("keeps what failed and the engine's words for it", () => {
    const { terminal, written } = recorder();
    const progress = new StepProgress(terminal);
    progress.take(event({ resourcePreEvent: step("create", "dev-host") }));
    const urn = "urn:pulumi:dev::berth::t::dev-host";
    const diagnostic = { urn, severity: "error", message: "<{%reset%}>no quota\n", color: "never" };
    progress.take(event({ diagnosticEvent: diagnostic as never }));
    progress.take(event({ resOpFailedEvent: step("create", "dev-host") }));
    progress.close();
    assert.deepEqual(progress.errors, ["dev-host: no quota"]);
    assert.match(written.out, /FAILED create +dev-host/);
    assert.match(written.err, /dev-host: no quota/);
  });

  it("says the failure alone, and not what the program says of an engine that has stopped", () => {
    const { terminal, written } = recorder();
    const progress = new StepProgress(terminal);
    const tell = (message: string) => {
      progress.take(event({ diagnosticEvent: { severity: "error", message, color: "never" } }));
    };
    const echo =
      "Running program 'index.ts' failed: Error: Channel has been shut down\n    at f (x.ts:1)";
    tell(echo);
    assert.deepEqual(progress.errors, [echo], "nothing else was said");
    tell("no quota");
    progress.close();
    assert.deepEqual(progress.errors, ["no quota"]);
    assert.doesNotMatch(written.err, /Channel/);
  });

  it("says nothing of what a program writes once its engine no longer listens", () => {
    const { terminal, written } = recorder();
    const progress = new StepProgress(terminal);
    const tell = (message: string) => {
      const diagnostic = { severity: "info#err", message, color: "never" };
      progress.take(event({ diagnosticEvent: diagnostic as never }));
    };
    tell("a warning of its own\n");
    tell("failed to deliver log message.\n");
    tell("    at InternalChannel.createCall (x.ts:1)\n");
    progress.close();
    assert.match(written.out, /a warning of its own/);
    assert.doesNotMatch(written.out + written.err, /deliver|createCall/);
  });
});

describe("stack files", () => {
  it("gives the line of each YAML mistake", async () => {
    const path = join(folder, "Pulumi.dev.yaml");
    await writeFile(path, "config:\n  a: [1\n  b: }\n");
    assert.throws(
      () => readStackConfig("dev", path),
      (error) =>
        error instanceof UserError && error.problems.some((line) => /:[23]:\d+: /.test(line)),
    );
  });

  it("refuses a file that is no stack's", async () => {
    const path = join(folder, "Pulumi.dev.yaml");
    await writeFile(path, "config: 3\n");
    assert.throws(() => readStackConfig("dev", path), /has no settings/);
  });

  it("tells no file from an empty one", async () => {
    const path = join(folder, "Pulumi.dev.yaml");
    assert.equal(readStackConfig("dev", path), undefined);
    await writeFile(path, "# nothing yet\n");
    assert.deepEqual(readStackConfig("dev", path), {});
  });
});

describe("ssh", () => {
  const target = {
    address: "10.0.0.4",
    port: 2222,
    user: "ubuntu",
    hostKey: "ssh-ed25519 AAAA host",
  };

  it("pins the host's key and believes no other", () => {
    assert.match(knownHostsLine(target), /^\[10\.0\.0\.4\]:2222 ssh-ed25519 AAAA$/m);
    const args = sshArguments(target, "/k", { file: "/id", only: true }).join(" ");
    assert.match(args, /IdentitiesOnly=yes/);
    const usual = sshArguments(target, "/k", { file: "/id", only: false }).join(" ");
    assert.doesNotMatch(usual, /IdentitiesOnly/);
    assert.match(args, /StrictHostKeyChecking=yes/);
    assert.match(args, /UserKnownHostsFile=\/k/);
    assert.match(args, /-i \/id -p 2222 -- ubuntu@10\.0\.0\.4$/);
  });
});

describe("engine", () => {
  it("says when the Pulumi CLI that was asked for is missing", async () => {
    await assert.rejects(findEngine("pulumi", { PATH: folder }), /no `pulumi` on the PATH/);
  });

  it("wants a passphrase, and takes an empty one", () => {
    assert.throws(() => {
      checkPassphrase("no-such-stack", {});
    }, /PULUMI_CONFIG_PASSPHRASE is not set/);
    checkPassphrase("no-such-stack", { PULUMI_CONFIG_PASSPHRASE: "" });
    checkPassphrase("no-such-stack", { PULUMI_CONFIG_PASSPHRASE_FILE: "/f" });
  });

  it("does not let the offline engine near a real account", async () => {
    const engine = { name: "offline", version: "0", command: undefined as never } as const;
    const request = { stack: "dev", engine, cloud: undefined };
    await assert.rejects(openStack(request), /needs the Pulumi CLI/);
  });
});

describe("local cloud", () => {
  const cloud = {
    endpoint: "http://127.0.0.1:1",
    environment: {},
    tier: "none",
    machineSshPort: 22,
    weightsBucket: "b",
    weightsPrefix: "p/",
    pid: process.pid,
  };

  it("is found while its process lives", async () => {
    const file = join(folder, "cloud.json");
    await announceCloud(cloud, file);
    assert.deepEqual(cloudOf("local-alice", file), cloud);
    await announceCloud({ ...cloud, pid: 2 ** 30 }, file);
    assert.equal(findLocalCloud(file), undefined);
  });

  it("is needed by local stacks only", () => {
    const none = join(folder, "none.json");
    assert.equal(cloudOf("dev", none), undefined);
    assert.equal(cloudOf("localhost", none), undefined);
    assert.throws(() => cloudOf("local", none), /none is running/);
  });
});

describe("runOperation", () => {
  it("tells who holds the stack in the engine's own words, each once", async () => {
    const locked = "error: the stack is currently locked by 1 lock(s): me@box (pid 7)";
    const failed = "Command failed with exit code 255: /opt/pulumi up --yes --event-log tcp://x";
    const message = `code: 255\n stdout: \n stderr: ${failed}\n${locked}\n err?: Error: ${failed}\n${locked}`;
    const error = Object.create(ConcurrentUpdateError.prototype, {
      message: { value: message },
    }) as Error;
    const { terminal } = recorder();
    const work = () => Promise.reject(error);
    await assert.rejects(
      runOperation({ name: "up", terminal, work }),
      ({ problems }: UserError) => {
        assert.deepEqual(problems, ["the stack is currently locked by 1 lock(s): me@box (pid 7)"]);
        return true;
      },
    );
  });
});

describe("explainError", () => {
  it("gives every kind of failure its exit code", () => {
    assert.equal(explainError(new UserError("a")).code, 1);
    assert.equal(explainError(new ProvisioningError("a", ["b"])).code, 3);
    assert.equal(explainError(new InterruptedError("a")).code, 130);
    const own = explainError(new TypeError("x is undefined"));
    assert.equal(own.code, 1);
    assert.match(own.text, /berth itself failed/);
  });
});
