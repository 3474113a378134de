import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { UserError } from "../../components/user-error.ts";
import { jobsFolder, jobState, readJobFolder } from "../../scripts/finetune/host-job.ts";
import {
  runOnNodes,
  sendToNodes,
  type TrainingNode,
  type TrainingNodes,
} from "../../scripts/finetune/nodes.ts";
import { prepareOutput, shareOutput } from "../../scripts/finetune/shared-storage.ts";
import {
  megatronStandIn,
  writeMegatronFolder,
} from "../components/training/megatron/megatron-folder.ts";
import type { ScriptOptions } from "../../provider/adapters/ssh.ts";
import { hostOn } from "../provider/support/host.ts";
import { needsSshd, startSshd } from "../provider/support/sshd.ts";
import { freePort } from "../../offline/cloud/free-port.ts";
import { Started } from "../support/tier.ts";
import { makeTree } from "./finetune/work.ts";

const python = fileURLToPath(new URL("finetune/host-python.sh", import.meta.url));

/**
 * The folder's own programs, torchrun and gloo are real, and each host is a tree of processes behind a real sshd; Megatron-LM is a
 * stand-in whose ranks each write a part of a checkpoint.
 */
describe("A training by Megatron-LM on two hosts", function () {
  // The tree is made once: four minutes on two idle cores.
  this.timeout(30 * 60_000);
  let local: string;
  let shared: string;
  let port: number;
  let nodes: TrainingNodes;
  const started = new Started();

  before(async function () {
    needsSshd(this);
    const tree = await makeTree(this);
    local = mkdtempSync(join(tmpdir(), "berth-megatron-hosts-"));
    started.use({
      stop: () => {
        rmSync(local, { recursive: true, force: true });
        return Promise.resolve();
      },
    });
    shared = join(local, "fsx");
    mkdirSync(shared);
    cpSync(megatronStandIn, join(local, "stand-in"), { recursive: true });
    port = await freePort();
    const job = join(local, "job");
    writeMegatronFolder(job, { nodes: 2 });
    mkdirSync(join(job, "base"));
    const run = readFileSync(join(job, "run.sh"), "utf8");
    const own = `export GPUS=1 MASTER_PORT=${port} PYTHONPATH=${join(local, "stand-in")}`;
    writeFileSync(join(job, "run.sh"), run.replace("set -euo pipefail", `$&\n${own}`));
    nodes = [await open(0, tree), await open(1, tree)];
  });
  after(() => started.stop());

  async function open(index: number, tree: string): Promise<TrainingNode> {
    const root = join(local, `host-${index}`);
    const host = hostOn(started.use(await startSshd({ BERTH_ROOT: root })));
    started.use({
      stop: () => {
        host.close();
        return Promise.resolve();
      },
    });
    const folder = `${await jobsFolder(host)}/job`;
    mkdirSync(join(folder, ".venv/bin"), { recursive: true });
    const words = [python, tree, local].map((word) => `"${word}"`).join(" ");
    const stood = `PYTHONPATH="\${PYTHONPATH:-${join(local, "stand-in")}}"`;
    writeFileSync(join(folder, ".venv/bin/python"), `#!/bin/sh\n${stood} exec ${words} "$@"\n`, {
      mode: 0o755,
    });
    cpSync(join(local, "job/requirements.txt"), join(folder, ".venv/pinned.txt"));
    return { index, host, folder };
  }

  async function train(stopAt?: number): Promise<{ code: number; index: number; said: string }> {
    await sendToNodes(nodes, readJobFolder(join(local, "job")));
    await shareOutput(nodes, shared);
    const lines: string[] = [];
    const onLine = (line: string) => lines.push(line);
    const baseModel = join(local, "job/base");
    await prepareOutput(nodes, { baseModel, onLine });
    const { code, node } = await runOnNodes(nodes, {
      ...{ baseModel, stopAt, stopServer: false, masterAddress: "127.0.0.1", shared },
      onLine: (index, line) => lines.push(`${index}: ${line}`),
    });
    return { code, index: node.index, said: lines.join("\n") };
  }

  const read = (name: string) => readFileSync(join(shared, "job", name), "utf8");

  it("is refused where the hosts do not see the same storage", async () => {
    const [first, second] = nodes;
    await sendToNodes(nodes, readJobFolder(join(local, "job")));
    await shareOutput([first], shared);
    const folder = join(local, "elsewhere/job");
    mkdirSync(join(folder, "output"), { recursive: true });
    // Its own disk at the same path, as where nothing is mounted.
    const own = new Proxy(second!.host, {
      get(host, name) {
        const member: unknown = Reflect.get(host, name, host);
        if (typeof member !== "function") return member;
        if (name !== "script") return member.bind(host) as unknown;
        return (text: string, options: ScriptOptions) => {
          const args = options.args?.map((each) => (each === shared ? join(local, "disk") : each));
          return host.script(text, { ...options, args });
        };
      },
    });
    await assert.rejects(
      shareOutput([first, { ...second!, host: own, folder }], shared),
      (error: UserError) => {
        assert.match(error.message, /is not the same folder on all hosts/);
        assert.deepEqual(error.problems, ["host 1 does not see what host 0 wrote there"]);
        return true;
      },
    );
  });

  it("brings the base model there once, and ends on both after a step with a checkpoint of both", async () => {
    const { code, said } = await train(1);
    assert.equal(code, 75, said);
    assert.equal(said.split("bringing").length, 2);
    const checkpoint = "checkpoints/iter_0000001";
    for (const rank of [0, 1]) assert.equal(read(`${checkpoint}/part-${rank}`), "weights of 1");
    assert.equal(read(`${checkpoint}/whole`), "1\n");
    assert.equal(existsSync(join(shared, "job/finished.json")), false);
  });

  it("goes on from it with all parts, and the first host makes the model of them", async () => {
    const { code, index, said } = await train();
    assert.deepEqual([code, index], [0, 0], said);
    assert.doesNotMatch(said, /bringing/);
    for (const rank of [0, 1]) assert.match(said, new RegExp(`${rank}: .*from step 1`));
    assert.equal(read("model/model.safetensors"), "weights of 6 and weights of 6");
    const [first] = nodes;
    const { finished, progress } = await jobState(first.host, first.folder);
    assert.equal(finished?.result, "model");
    assert.deepEqual(
      progress.flatMap(({ step, loss }) => (loss === undefined ? [] : [step])),
      [1, 2, 3, 4, 5, 6],
    );
  });
});
