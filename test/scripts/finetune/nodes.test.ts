import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  endJob,
  jobsFolder,
  jobState,
  readJobFolder,
  runJob,
} from "../../../scripts/finetune/host-job.ts";
import {
  agreeOnCheckpoint,
  runOnNodes,
  sendToNodes,
  type TrainingNode,
  type TrainingNodes,
} from "../../../scripts/finetune/nodes.ts";
import { hostOn } from "../../provider/support/host.ts";
import { needsSshd, startSshd } from "../../provider/support/sshd.ts";
import { Started } from "../../support/tier.ts";

/**
 * Stands for run.sh of one node: the first waits for the others, as a rendezvous does, and only a second TERM ends it. A base
 * model named `broken` fails on the second.
 */
const trainer = `#!/usr/bin/env bash
cd "$(dirname "$0")"
mkdir -p output
asked=0
trap 'asked=$((asked + 1)); [ "$asked" -lt 2 ] || exit 137' TERM
echo "node $NODE_RANK of $NNODES meets at $MASTER_ADDR"
if [ "$NODE_RANK" != 0 ]; then
  if [ "$BASE_MODEL" = broken ]; then echo "CUDA error: the second GPU is gone"; touch output/failed; exit 3; fi
  sleep 1
  exit 75
fi
if [ "$BASE_MODEL" = broken ]; then while true; do sleep 0.1; done; fi
echo '{"result": "adapter"}' >output/finished.json
`;

describe("A fine-tuning over two hosts", () => {
  let local: string;
  let nodes: TrainingNodes;
  const started = new Started();

  before(async function () {
    needsSshd(this);
    local = mkdtempSync(join(tmpdir(), "berth-nodes-"));
    const facts = { schemaVersion: 1, modelId: "tiny", baseModel: "owner/tiny", gated: false };
    for (const name of ["train.py", "training.yaml", "requirements.txt"])
      writeFileSync(join(local, name), "");
    writeFileSync(join(local, "job.json"), JSON.stringify(facts));
    writeFileSync(join(local, "run.sh"), trainer);
    chmodSync(join(local, "run.sh"), 0o755);
    nodes = [await open(0), await open(1)];
  });
  after(async () => {
    for (const { host } of nodes) host.close();
    rmSync(local, { recursive: true, force: true });
    await started.stop();
  });

  async function open(index: number): Promise<TrainingNode> {
    const host = hostOn(started.use(await startSshd()));
    const folder = `${await jobsFolder(host)}/job`;
    // An environment that is there already, so that nothing is fetched.
    mkdirSync(join(folder, ".venv"), { recursive: true });
    writeFileSync(join(folder, ".venv/pinned.txt"), "");
    return { index, host, folder };
  }

  const run = { masterAddress: "10.73.0.4", stopAt: undefined, stopServer: false };

  it("starts every host as a node of it, and ends as the first one ends", async () => {
    assert.equal(await sendToNodes(nodes, readJobFolder(local)), false);
    await agreeOnCheckpoint(nodes, undefined);
    const lines: string[] = [];
    const onLine = (index: number, line: string) => lines.push(`${index}: ${line}`);
    const { code, node } = await runOnNodes(nodes, { ...run, baseModel: "owner/tiny", onLine });
    assert.deepEqual([code, node.index], [0, 0]);
    assert.deepEqual(lines.toSorted(), [
      "0: node 0 of 2 meets at 10.73.0.4",
      "1: node 1 of 2 meets at 10.73.0.4",
    ]);
  });

  it("ends on all hosts when one fails, and names it with its words", async () => {
    const onLine = () => undefined;
    const { code, node, lines } = await runOnNodes(nodes, { ...run, baseModel: "broken", onLine });
    assert.deepEqual([code, node.index], [3, 1]);
    assert.match(lines.join("\n"), /CUDA error: the second GPU is gone/);
    for (const { host, folder } of nodes) {
      assert.equal((await jobState(host, folder)).running, false);
      assert.equal(existsSync(join(folder, "run.pid")), false);
    }
  });

  it("ends on a host that was only about to begin when another failed", async () => {
    const [first, ...others] = nodes;
    const failed = join(nodes[1]!.folder, "output/failed");
    rmSync(failed, { force: true });
    let isHeldUp = true;
    const late = new Proxy(first.host, {
      get(host, name) {
        const member: unknown = Reflect.get(host, name, host);
        if (typeof member !== "function") return member;
        const call = member.bind(host) as (...words: unknown[]) => unknown;
        if (name !== "output" || !isHeldUp) return call;
        isHeldUp = false;
        return async (...words: unknown[]) => {
          while (!existsSync(failed)) await sleep(50);
          // And that has come to this machine.
          await sleep(1000);
          return call(...words);
        };
      },
    });
    const both: TrainingNodes = [{ ...first, host: late }, ...others];
    const onLine = () => undefined;
    const { code, node } = await runOnNodes(both, { ...run, baseModel: "broken", onLine });
    assert.deepEqual([code, node.index], [3, 1]);
    assert.equal((await jobState(first.host, first.folder)).running, false);
  });

  it("does not start where it runs on one host alone", async () => {
    const [first] = nodes;
    await sendToNodes(nodes, readJobFolder(local));
    const { masterAddress, ...rest } = run;
    const node = { count: 2, rank: 0, masterAddress };
    const { host, folder } = first;
    const words = { ...rest, folder, node, baseModel: "broken", onLine: () => undefined };
    const alone = runJob(host, words);
    while (!(await jobState(first.host, first.folder)).running) await sleep(50);
    await assert.rejects(
      sendToNodes(nodes, readJobFolder(local)),
      /runs on some of the hosts only: 0/,
    );
    await endJob(first.host, first.folder);
    assert.equal((await alone).code, 137);
  });

  it("goes on from no checkpoint that only the first host has", async () => {
    const [first] = nodes;
    for (const step of [9, 30]) {
      mkdirSync(join(first.folder, `output/checkpoint-${step}`), { recursive: true });
      writeFileSync(join(first.folder, `output/checkpoint-${step}/whole`), "");
    }
    await assert.rejects(
      agreeOnCheckpoint(nodes, undefined),
      (error: Error) =>
        error.message.includes("Host 0 would go on from step 30") &&
        String((error as { hint?: string }).hint).includes("berth:checkpointsPrefix"),
    );
  });
});
