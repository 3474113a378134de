import assert from "node:assert/strict";
import { cpSync, existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../offline/cloud/free-port.ts";
import { makeTree, Work } from "./finetune/work.ts";

/** Two hosts are two trees of processes that meet on the loopback by torchrun's rendezvous, with gloo between them. */
describe("A fine-tuning of a tiny Llama on two hosts", function () {
  this.timeout(20 * 60_000);
  let work: Work;
  let second: Work;

  before(async function () {
    const tree = await makeTree(this);
    work = new Work(tree, mkdtempSync(join(tmpdir(), "berth-hosts-")));
    second = new Work(tree, work.folder);
    const sample = (i: number) => ({
      messages: [
        { role: "user", content: `What follows ${i}?` },
        { role: "assistant", content: `${i + 1} follows ${i}.` },
      ],
    });
    const lines = Array.from({ length: 60 }, (_, i) => JSON.stringify(sample(i % 12)));
    await work.makeBase(`${lines.join("\n")}\n`);
    const said = await work.finetune(
      "shared",
      ...["--method", "full", "--sequence", "64", "--sharding", "none", "--nodes", "2"],
      ...["--env", "prod", "--types", "g6.8xlarge", "--global-batch", "8"],
    );
    assert.match(said, /2 x g6\.8xlarge/);
  });
  after(() => {
    work.close();
  });

  // Without them accelerate takes processes without a GPU for ones that do not know each other, or Debian's MPI.
  const onCpu = ["--use_cpu", "true", "--ddp_backend", "gloo"];

  async function both(folders: readonly [string, string], environment: NodeJS.ProcessEnv = {}) {
    const MASTER_PORT = String(await freePort());
    const of = (rank: number) => ({
      ...{ NNODES: "2", NODE_RANK: String(rank), MASTER_PORT },
      ...environment,
    });
    return Promise.all([work.run(folders[0], onCpu, of(0)), second.run(folders[1], onCpu, of(1))]);
  }

  it("stops on both after a step, with the checkpoint on the first", async () => {
    cpSync(work.path("shared"), work.path("apart"), { recursive: true });
    const codes = await both(["shared", "apart"], { STOP_AT: "1" });
    assert.deepEqual(codes, [75, 75], work.said.slice(-2000));
    assert.ok(existsSync(work.path("shared/output/checkpoint-1/whole")));
    assert.ok(!existsSync(work.path("apart/output/checkpoint-1/whole")));
  });

  it("is refused where only one of them has the checkpoint", async () => {
    const codes = await both(["shared", "apart"]);
    assert.ok(
      codes.every((code) => code !== 0 && code !== 75),
      codes.join(),
    );
    assert.match(work.said, /host 0: checkpoint-1; host 1: the start/);
    assert.equal(work.losses("shared").size, 1);
  });

  it("goes on together in one folder, in half the steps of one host, and ends on both", async () => {
    const codes = await both(["shared", "shared"]);
    assert.deepEqual(codes, [0, 0], work.said.slice(-2000));
    const losses = work.losses("shared");
    // 60 samples twice, 8 a step over two hosts.
    assert.equal(losses.size, 16);
    assert.ok(losses.get(16)! < losses.get(1)! - 0.3);
    assert.equal(work.json("shared/output/finished.json")["result"], "model");
  });
});
