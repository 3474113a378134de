import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { writeMegatronFolder } from "./megatron/megatron-folder.ts";

/** Programs that run.sh and its like take from the system. */
const system = ["bash", "dirname", "mkdir", "rm", "setsid", "touch", "env", "cat", "sed"];

describe("run.sh on several hosts", () => {
  let folder: string;
  let bin: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-run-"));
    bin = join(folder, "bin");
    mkdirSync(bin);
    for (const name of system) {
      const { stdout } = spawnSync("which", [name], { encoding: "utf8" });
      symlinkSync(stdout.trim(), join(bin, name));
    }
    writeMegatronFolder(join(folder, "job"), { nodes: 2 });
    program("python3", 'echo "words $*"; env | sed -n "/^FI_\\|^NCCL_/p"');
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function program(name: string, text: string): void {
    writeFileSync(join(bin, name), `#!${join(bin, "bash")}\n${text}\n`, { mode: 0o755 });
  }

  function run(environment: NodeJS.ProcessEnv) {
    const env = { PATH: [bin].join(delimiter), ...environment };
    const script = join(folder, "job/run.sh");
    return spawnSync(join(bin, "bash"), [script], { encoding: "utf8", env });
  }
  const second = { NODE_RANK: "1", MASTER_ADDR: "10.0.0.5" };

  it("takes the Elastic Fabric Adapter where one is seen, and meets at the first host", () => {
    program("fi_info", '[ "$*" = "-p efa" ]');
    program("nvidia-smi", "");
    const { stdout, stderr } = run(second);
    assert.match(stdout, /FI_PROVIDER=efa/);
    assert.match(stdout, /NCCL_SOCKET_IFNAME=\^docker0,lo/);
    assert.match(stdout, /--nnodes 2 --node-rank 1 --master-addr 10\.0\.0\.5 --master-port 29500/);
    assert.equal(stderr, "");
  });

  it("says so where a GPU host has none, and goes on over TCP", () => {
    program("fi_info", "exit 1");
    program("nvidia-smi", "");
    const { stdout, stderr } = run(second);
    assert.doesNotMatch(stdout, /FI_PROVIDER/);
    assert.match(stdout, /train_megatron\.py/);
    assert.match(stderr, /no Elastic Fabric Adapter is seen/);
  });

  it("is refused without the host's number or the first one's address", () => {
    assert.match(run({}).stderr, /NODE_RANK: which of the nodes/);
    const { status, stderr } = run({ NODE_RANK: "1" });
    assert.notEqual(status, 0);
    assert.match(stderr, /MASTER_ADDR: address of node 0/);
  });
});
