import assert from "node:assert/strict";
import { chooseTorch } from "../../../components/bootstrap/choose-torch.ts";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { formatProblem, softwareStack } from "../../../components/sizing/software-stack.ts";

const catalogue = loadCatalogue();
const gpu = (model: string) => {
  const found = catalogue.accelerators.find((accelerator) => accelerator.model === model);
  assert.ok(found !== undefined, model);
  return found;
};

describe("softwareStack", () => {
  it("takes the default build of the newest PyTorch, and a driver for its CUDA", () => {
    const stack = softwareStack(gpu("L4"), catalogue);
    assert.deepEqual(stack, { pytorch: "2.14", cuda: "13.0", minLinuxDriver: "580" });
  });

  it("says what vLLM brings, and what it needs of the driver", () => {
    const stack = softwareStack(gpu("L4"), catalogue, "vllm");
    assert.deepEqual(stack, { pytorch: "2.14", cuda: "13.0", minLinuxDriver: "580" });
  });

  it("names the build that the bootstrap then chooses, for every GPU that a host's own PyTorch serves", () => {
    for (const accelerator of catalogue.accelerators) {
      const { computeCapability } = accelerator;
      const planned = softwareStack(accelerator, catalogue, "transformers");
      const chosen = chooseTorch("newest", { computeCapability, driverVersion: "580.126.09" });
      assert.ok("torch" in chosen && planned !== undefined, accelerator.model);
      assert.deepEqual([chosen.torch, chosen.cuda], [planned.pytorch, planned.cuda]);
    }
  });

  it("falls back to an older CUDA build for Volta, which CUDA 13 has dropped", () => {
    const stack = softwareStack(gpu("V100-SXM2-32GB"), catalogue);
    assert.equal(stack?.cuda, "12.6");
  });

  it("runs B300 on code for B200, of the same major", () => {
    assert.equal(softwareStack(gpu("B300"), catalogue)?.cuda, "13.0");
  });

  it("finds a release for every GPU of the catalogue", () => {
    for (const accelerator of catalogue.accelerators) {
      assert.ok(softwareStack(accelerator, catalogue) !== undefined, accelerator.model);
    }
  });

  it("finds none where no release has a build", () => {
    const old = { ...gpu("T4"), computeCapability: "3.5" };
    assert.equal(softwareStack(old, catalogue), undefined);
  });
});

describe("formatProblem", () => {
  it("refuses fp8 below Ampere, and nothing where nothing is known", () => {
    assert.match(formatProblem("fp8", gpu("T4")) ?? "", /8\.0/);
    assert.equal(formatProblem("fp8", gpu("A10G")), undefined);
    assert.equal(formatProblem("bf16", gpu("T4")), undefined);
  });
});
