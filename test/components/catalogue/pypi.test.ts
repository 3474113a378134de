import assert from "node:assert/strict";
import { compareVersions } from "../../../components/compare-versions.ts";
import { loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { vllmRelease, vllmServes } from "../../../components/catalogue/vllm-release.ts";
import { requirementsText } from "../../../components/training/software-pins.ts";
import pypi from "./pypi.json" with { type: "json" };

const { pytorchReleases, cudaReleases } = loadShippedCatalogue();

interface TorchWheels {
  readonly release: string;
  readonly firstUpload: string;
  readonly cuda?: string;
  readonly python: readonly string[];
}

const day = 24 * 3600 * 1000;

describe("the compatibility table, by PyPI's metadata of a day", () => {
  const wheels: Readonly<Record<string, TorchWheels>> = pypi.torch;

  for (const [version, { cuda, python, firstUpload }] of Object.entries(wheels)) {
    it(`has PyTorch ${version} with the CUDA build, the Pythons and the day of its wheels`, () => {
      const row = pytorchReleases.find((each) => each.version === version);
      assert.ok(row !== undefined);
      assert.deepEqual(row.pythonVersions, python);
      if (cuda !== undefined) assert.equal(row.defaultCudaBuild, cuda);
      const apart = Date.parse(firstUpload) - Date.parse(row.firstStable ?? "");
      assert.ok(Math.abs(apart) <= day, `${String(row.firstStable)}, and ${firstUpload}`);
    });
  }

  it("has every release of PyPI since 2.0, and none that PyPI lacks", () => {
    const since2 = pytorchReleases.filter(({ version }) => compareVersions(version, "2.0") >= 0);
    assert.deepEqual(
      since2.map(({ version }) => version),
      Object.keys(wheels).toSorted(compareVersions),
    );
  });

  it("has vLLM's own PyTorch, CUDA and Python", () => {
    const { release, resolved, requiresPython } = pypi.vllm;
    assert.equal(vllmRelease.version, release);
    assert.ok(resolved.torch.startsWith(`${vllmRelease.torch}.`));
    assert.ok(resolved["cuda-toolkit"].startsWith(`${vllmRelease.cuda}.`));
    assert.ok(requiresPython.startsWith(`>=${vllmRelease.python},`));
    const torch = pytorchReleases.find(({ version }) => version === vllmRelease.torch);
    assert.ok(torch?.cudaBuilds.includes(vllmRelease.cuda));
    assert.ok(cudaReleases.some(({ toolkit }) => toolkit === vllmRelease.cuda));
  });

  it("pins libraries of a training within each other's bounds", () => {
    const software = { pytorch: "2.14", cuda: "13.0", minLinuxDriver: undefined };
    const text = requirementsText(software, { bitsandbytes: true, deepspeed: true });
    const pinned = new Map(
      text
        .split("\n")
        .filter((line) => line.includes("=="))
        .map((line) => line.split("==") as [string, string]),
    );
    for (const [name, bounds] of Object.entries(pypi.libraries)) {
      assert.equal(pinned.get(name), bounds.release, name);
      for (const [other, bound] of Object.entries(bounds)) {
        if (!bound.startsWith(">=") || other === "requiresPython") continue;
        const version = pinned.get(other) ?? "0";
        assert.ok(compareVersions(version, bound.slice(2)) >= 0, `${name}: ${other} ${bound}`);
      }
    }
  });
});

describe("vllmServes", () => {
  it("knows every architecture of a language model that a catalogue's row has, but for those that nothing here serves", () => {
    const rows = loadShippedCatalogue().models.filter(
      ({ task, engine, architecture }) =>
        task !== "image-generation" && engine === undefined && !vllmServes(architecture),
    );
    assert.deepEqual([...new Set(rows.map(({ family }) => family))].toSorted(), [
      "GPT-Neo",
      "Llama 3.2",
      "MiniGPT-4",
      "OpenFlamingo",
      "Qwen (first)",
    ]);
  });
});
