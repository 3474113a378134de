import assert from "node:assert/strict";
import { loadPrecision } from "../../../components/model-server/load-precision.ts";
import { UserError } from "../../../components/user-error.ts";

describe("loadPrecision", () => {
  it("makes nothing of files that hold what is asked for", () => {
    assert.equal(loadPrecision("vllm", "auto", "bf16"), "none");
    assert.equal(loadPrecision("vllm", "int4", "int4-awq"), "none");
    assert.equal(loadPrecision("llama.cpp", "native", "q4_k_m"), "none");
  });

  it("has each engine make what it can", () => {
    assert.equal(loadPrecision("transformers", "int8", "bf16"), "int8");
    assert.equal(loadPrecision("vllm", "int4", "bf16"), "int4");
    assert.equal(loadPrecision("vllm", "fp8", "bf16"), "fp8");
  });

  it("names the engine that makes what another does not", () => {
    assert.throws(
      () => loadPrecision("vllm", "int8", "bf16"),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.match(error.hint ?? "", /Set berth:engine to transformers/);
        return true;
      },
    );
    assert.throws(() => loadPrecision("llama.cpp", "q8_0", "fp16"), /does not make q8_0/);
  });
});
