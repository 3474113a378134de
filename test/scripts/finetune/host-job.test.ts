import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Started } from "../../support/tier.ts";
import { hostOn } from "../../provider/support/host.ts";
import { needsSshd, startSshd, type TestSshd } from "../../provider/support/sshd.ts";
import {
  jobsFolder,
  jobState,
  readJobFolder,
  runJob,
  sendJob,
  stopJob,
  type JobFolder,
} from "../../../scripts/finetune/host-job.ts";

/** Stands for a training: a step every tenth of a second, an end in order, and the way to go on. */
const trainer = `#!/usr/bin/env bash
cd "$(dirname "$0")"
mkdir -p output
rm -f output/stop
touch output/progress.jsonl
step=$(wc -l <output/progress.jsonl)
echo "base $BASE_MODEL until $STOP_AT from step $step"
last=$((step > 0 ? step + 5 : 3000))
while [ "$step" -lt "$last" ]; do
  step=$((step + 1))
  echo "{\\"step\\": $step, \\"steps\\": $last, \\"time\\": $(date +%s), \\"loss\\": 1.5}" >>output/progress.jsonl
  if [ -e output/stop ]; then exit 75; fi
  sleep 0.1
done
echo '{"result": "adapter"}' >output/finished.json
`;

describe("A fine-tuning on a host", () => {
  let sshd: TestSshd;
  let local: string;
  let job: JobFolder;
  const started = new Started();
  before(async function () {
    needsSshd(this);
    sshd = started.use(await startSshd());
    local = mkdtempSync(join(tmpdir(), "berth-job-"));
    const facts = { schemaVersion: 1, modelId: "tiny", baseModel: "owner/tiny", gated: false };
    const files = {
      "job.json": JSON.stringify(facts),
      "run.sh": trainer,
      "train.py": "",
      "training.yaml": "",
      "requirements.txt": "",
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(local, name), text);
    chmodSync(join(local, "run.sh"), 0o755);
    mkdirSync(join(local, "output"));
    writeFileSync(join(local, "output/of-this-machine"), "stays here");
    job = readJobFolder(local);
  });
  after(async () => {
    rmSync(local, { recursive: true, force: true });
    await started.stop();
  });

  it("is sent, run, followed by a second caller, ended in order and gone on with", async () => {
    const host = hostOn(sshd);
    const folder = `${await jobsFolder(host)}/job`;
    await sendJob(host, job, folder);
    assert.equal(existsSync(join(folder, "output/of-this-machine")), false);
    // An environment that is there already, so that nothing is fetched.
    mkdirSync(join(folder, ".venv"));
    writeFileSync(join(folder, ".venv/pinned.txt"), "");
    const lines: string[] = [];
    const words = { folder, baseModel: "owner/tiny", stopAt: 1_900_000_000, stopServer: false };
    const first = runJob(host, { ...words, onLine: (line) => lines.push(line) });
    while (!(await jobState(host, folder)).running) await sleep(50);
    // What is running keeps its files.
    await assert.rejects(sendJob(host, job, folder), /could not be brought/);
    const other = hostOn(sshd);
    const seen: string[] = [];
    const second = runJob(other, { ...words, onLine: (line) => seen.push(line) });
    while (seen.length === 0 || (await jobState(host, folder)).progress.length < 3) await sleep(50);
    await stopJob(host, folder);
    assert.equal((await first).code, 75);
    assert.equal((await second).code, 75);
    other.close();
    assert.match(lines.join("\n"), /base owner\/tiny until 1900000000 from step 0/);
    const stopped = await jobState(host, folder);
    assert.equal(stopped.running, false);
    assert.equal(stopped.finished, undefined);
    const steps = stopped.progress.at(-1)?.step ?? 0;

    await sendJob(host, job, folder);
    const again = await runJob(host, { ...words, onLine: (line) => lines.push(line) });
    assert.equal(again.code, 0);
    assert.match(lines.at(-1) ?? "", new RegExp(`from step ${steps}$`));
    const done = await jobState(host, folder);
    assert.deepEqual(done.finished, { result: "adapter" });
    assert.equal(done.progress.at(-1)?.step, steps + 5);
    host.close();
  });

  it("keeps the files that it has when the archive is cut off on its way", async () => {
    const host = hostOn(sshd);
    const folder = `${await jobsFolder(host)}/cut`;
    await sendJob(host, job, folder);
    const broken = join(local, "..", "no-such-folder");
    await assert.rejects(sendJob(host, { ...job, folder: broken }, folder), /could not be brought/);
    assert.equal(readFileSync(join(folder, "run.sh"), "utf8"), trainer);
    host.close();
  });

  it("is no folder whose own account of it is broken", () => {
    const folder = mkdtempSync(join(tmpdir(), "berth-broken-"));
    const files = [
      "megatron.yaml",
      "run.sh",
      "train_megatron.py",
      "convert_megatron.py",
      "requirements.txt",
    ];
    for (const name of files) {
      writeFileSync(join(folder, name), "");
    }
    writeFileSync(join(folder, "job.json"), "{");
    assert.throws(() => readJobFolder(folder), /job\.json is not as berth writes it/);
    rmSync(folder, { recursive: true });
  });

  it("is no folder without its files", () => {
    assert.throws(() => readJobFolder(tmpdir()), /is no folder of a fine-tuning/);
  });
});
