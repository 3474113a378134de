import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseProgress } from "../../../scripts/finetune/host-job.ts";
import { progressLine } from "../../../scripts/finetune/progress-text.ts";
import { fromPython } from "./python-parts.ts";

/** fp16 has an infinite gradient now and then; a rate that is too high ends in NaN. */
describe("A training whose numbers are none", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-diverged-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("writes JSON that every program reads", () => {
    const facts = '{"loss": float("nan"), "grad_norm": float("inf"), "step": 3, "result": "model"}';
    const said = fromPython(`from card import finite\nprint(json.dumps(finite(${facts})))`, folder);
    assert.deepEqual(said, { loss: null, grad_norm: null, step: 3, result: "model" });
  });

  it("is told by its status, also while a line is being written", () => {
    const at = (step: number, facts: object) =>
      JSON.stringify({ step, steps: 9, time: step, ...facts });
    const lines = [at(1, { loss: 2 }), at(2, { loss: null }), '{"step": 3, "ste'];
    const progress = parseProgress([...lines, '{"step": 3, "loss": NaN}', "Traceback", ""]);
    assert.equal(progress.length, 2);
    const state = { progress, running: true, finished: undefined };
    assert.match(progressLine(state), /^step 2 of 9, loss NaN, /);
  });

  it("has no checkpoint that counts as the best for it", () => {
    const lines = [
      { step: 10, eval_loss: 1.5 },
      { step: 20, eval_loss: null },
    ];
    const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
    writeFileSync(join(folder, "progress.jsonl"), text);
    const said = fromPython(
      `from pathlib import Path
from checkpoints import evaluated, worth_keeping
sent = [{"step": step, **evaluated(Path("."), step)} for step in (10, 20, 30, 40)]
kept = []
for older, newest in zip(sent, sent[1:]):
    kept = worth_keeping([*kept, older], newest)
print(json.dumps([sent[:2], [one["step"] for one in kept]]))`,
      folder,
    );
    assert.deepEqual(said, [
      [{ step: 10, evalLoss: 1.5 }, { step: 20 }],
      [10, 30],
    ]);
  });
});
