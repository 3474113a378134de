import assert from "node:assert/strict";
import type { JobFolder } from "../../../scripts/finetune/host-job.ts";
import { checkHosts } from "../../../scripts/finetune/shared-storage.ts";
import type { UserError } from "../../../components/user-error.ts";

const job: JobFolder = {
  ...{ schemaVersion: 1, modelId: "tiny", baseModel: "owner/tiny", gated: false },
  ...{ folder: "finetune/tiny", name: "tiny", megatron: false },
};

describe("The hosts of a training", () => {
  it("are as many as it was planned for: more only where the Trainer divides the samples", () => {
    checkHosts({ ...job, machine: { nodes: 2 } }, 2, undefined);
    checkHosts({ ...job, machine: { nodes: 2 } }, 3, undefined);
    assert.throws(() => {
      checkHosts({ ...job, machine: { nodes: 4 } }, 2, undefined);
    }, /planned for 4 hosts, and the stack has 2/);
    assert.throws(() => {
      checkHosts({ ...job, megatron: true }, 2, "/fsx");
    }, /planned for 1 host, and the stack has 2/);
    checkHosts({ ...job, megatron: true }, 1, undefined);
  });

  it("share storage where each writes a part of a checkpoint", () => {
    const parts = [
      { ...job, megatron: true, machine: { nodes: 2 } },
      { ...job, workload: { sharding: "zero-2" } },
    ];
    for (const each of parts) {
      assert.throws(
        () => {
          checkHosts(each, 2, undefined);
        },
        ({ message, hint }: UserError) =>
          /by (Megatron-LM|DeepSpeed) on several hosts/.test(message) &&
          String(hint).includes("--shared-storage /fsx"),
      );
      checkHosts(each, 2, "/fsx/runs");
    }
    checkHosts({ ...job, workload: { sharding: "fsdp" } }, 2, undefined);
  });

  it("take a path, and only where there are several", () => {
    for (const place of ["fsx", "", "/a b", "s3://b/p"]) {
      assert.throws(() => {
        checkHosts(job, 2, place);
      }, /cannot be used/);
    }
    assert.throws(() => {
      checkHosts(job, 1, "/fsx");
    }, /cannot be used/);
  });
});
