import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const folders = ["components/training/scripts", "scripts/finetune"].map((folder) =>
  fileURLToPath(new URL(`../../../${folder}`, import.meta.url)),
);

/** Libraries that the programs import, and that what is tried of them does not use. */
const absent = {
  boto3: ["client"],
  "boto3.exceptions": ["Boto3Error"],
  "botocore.config": ["Config"],
  "botocore.exceptions": ["BotoCoreError", "ClientError"],
  torch: [],
  peft: ["PeftModel"],
  transformers: ["AutoModelForCausalLM", "AutoTokenizer"],
};

/** What lines of Python print that use the programs of a training, as JSON. */
export function fromPython(lines: string, cwd: string): unknown {
  const program = `
import json, sys, types
sys.dont_write_bytecode = True
sys.path[:0] = json.loads(sys.argv[1])
for name, members in json.loads(sys.argv[2]).items():
    sys.modules[name] = types.ModuleType(name)
    for member in members:
        setattr(sys.modules[name], member, type(member, (Exception,), {}))
${lines}`;
  const words = ["-c", program, JSON.stringify(folders), JSON.stringify(absent)];
  const { status, stdout, stderr } = spawnSync("python3", words, { cwd, encoding: "utf8" });
  assert.equal(status, 0, stderr);
  return JSON.parse(stdout);
}
