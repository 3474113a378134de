import assert from "node:assert/strict";
import { bakedFor, bakeKey, whyNoBakedImage } from "../../../components/gpu-host/baked-image.ts";
import { somePlan } from "../../support/builders.ts";

describe("bakeKey", () => {
  it("is the same for what an image would be the same for, and for nothing else", () => {
    const plan = somePlan();
    const key = bakeKey(plan, "base");
    assert.match(key, /^[0-9a-f]{24}$/);
    assert.equal(bakeKey({ ...plan }, "base"), key);
    const [chosen, ...others] = plan.ladder;
    const elsewhere = { ...chosen, instanceType: "g9.xlarge", hourlyUsd: 9 };
    assert.equal(bakeKey({ ...plan, ladder: [elsewhere, ...others] }, "base"), key);
    const gpu = { ...chosen, gpuModel: "H100" };
    const changed = [
      bakeKey(plan, "another base"),
      bakeKey({ ...plan, engine: "transformers" }, "base"),
      bakeKey({ ...plan, ladder: [gpu, ...others] }, "base"),
    ];
    assert.equal(new Set([key, ...changed]).size, 4);
  });
});

describe("whyNoBakedImage", () => {
  const plan = somePlan();
  const wanted = { key: bakeKey(plan, "base"), bakedFor: bakedFor(plan, "base") };
  const image = (id: string, change: object) => ({ id, state: "available", ...wanted, ...change });
  const [chosen, ...others] = plan.ladder;

  it("says nothing where one is taken, or none is there", () => {
    assert.equal(whyNoBakedImage([], wanted), undefined);
    const other = image("ami-2", { key: "other" });
    assert.equal(whyNoBakedImage([other, image("ami-1", {})], wanted), undefined);
  });

  it("names what differs in the nearest image", () => {
    const gpu = { ...plan, ladder: [{ ...chosen, gpuModel: "H100" }, ...others] as const };
    const far = { ...gpu, engine: "transformers" as const };
    const images = [far, gpu].map((each, index) => {
      const [key, text] = [bakeKey(each, "base"), bakedFor(each, "base")];
      return image(`ami-${String(index)}`, { key, bakedFor: text });
    });
    const why = whyNoBakedImage(images, wanted);
    assert.equal(why, `ami-1 was baked for GPU H100 instead of ${chosen.gpuModel}`);
  });

  it("says that the one that fits is not ready, or that nothing is known of another", () => {
    const pending = image("ami-1", { state: "pending" });
    assert.match(whyNoBakedImage([pending], wanted) ?? "", /ami-1 fits, and EC2 calls it pending/);
    const old = image("ami-0", { key: "other", bakedFor: undefined });
    assert.match(whyNoBakedImage([old], wanted) ?? "", /ami-0 was baked for another GPU/);
  });

  it("fits a tag for the longest list of versions", () => {
    const arn = "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04";
    for (const engine of ["vllm", "transformers", "diffusers"] as const) {
      const text = bakedFor({ ...plan, engine }, `${arn}/latest/ami-id`);
      assert.ok(text.length < 256, `${String(text.length)} characters`);
      assert.match(text, /base image: base-oss-nvidia-driver-gpu-ubuntu-24.04 \/ steps: 1$/);
    }
  });
});
