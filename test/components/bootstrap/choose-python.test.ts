import assert from "node:assert/strict";
import { choosePython } from "../../../components/bootstrap/choose-python.ts";
import type { HostFacts } from "../../../components/bootstrap/facts.ts";
import { planBootstrap } from "../../../components/bootstrap/plan.ts";
import { bootstrapPlanLines } from "../../../components/bootstrap/plan-text.ts";
import type { BootstrapWish } from "../../../components/bootstrap/wish.ts";
import { bareHost, hostFacts } from "./host-facts.ts";

const vllm: BootstrapWish = { gpu: { model: "A10G", count: 1 }, engine: "vllm" };
/** What each system has before anything is installed. */
const systems = {
  "ubuntu 22.04": { os: "ubuntu", osVersion: "22.04", python: "3.10.12" },
  "ubuntu 24.04": { os: "ubuntu", osVersion: "24.04", python: "3.12.3" },
  "debian 12": { os: "debian", osVersion: "12", python: "3.11.2" },
  "debian 13": { os: "debian", osVersion: "13", python: "3.13.5" },
  "amzn 2023": { os: "amzn", osVersion: "2023", python: "3.9.16" },
} as const;
const on = (system: keyof typeof systems, changes: Partial<HostFacts> = {}): HostFacts =>
  bareHost(["2237"], { ...systems[system], pythonVenv: false, pythonHeaders: false, ...changes });
const step = (facts: HostFacts, name: string, wish = vllm) =>
  planBootstrap(facts, wish).steps.find((each) => each.name === name);

describe("choosePython", () => {
  it("takes the system's Python for vLLM where it is new enough, with its headers and a compiler", () => {
    for (const system of ["ubuntu 24.04", "debian 12", "debian 13"] as const) {
      const facts = on(system, { compiler: false });
      assert.equal(choosePython(facts, vllm)?.command, "python3", system);
      assert.equal(step(facts, "interpreter"), undefined);
      assert.equal(step(facts, "sources")?.ways[0].args[0], "python3-venv python3-dev g++");
      const furnished = on(system, { pythonVenv: true, pythonHeaders: true, compiler: true });
      assert.equal(step(furnished, "sources")?.ways[0].args[0], "", "for the driver alone");
    }
  });

  it("brings CPython 3.12 to Ubuntu 22.04, by its sum, for each processor", () => {
    const facts = on("ubuntu 22.04", { compiler: false });
    const chosen = choosePython(facts, vllm);
    assert.equal(chosen?.source, "archive");
    assert.match(
      chosen.why,
      /vLLM \S+ is made for Python 3\.11, 3\.12, .*ubuntu 22\.04 has Python 3\.10\.12$/,
    );
    const plan = planBootstrap(facts, vllm);
    assert.deepEqual(plan.refusals, []);
    const [folder = "", url = "", sha256 = ""] = step(facts, "interpreter")?.ways[0].args ?? [];
    assert.match(
      url,
      /^https:\/\/github\.com\/astral-sh\/python-build-standalone\/releases\/download\/\d{8}\/cpython-3\.12\.\d+%2B\d{8}-x86_64-unknown-linux-gnu-install_only_stripped\.tar\.gz$/,
    );
    assert.match(sha256, /^[0-9a-f]{64}$/);
    assert.equal(chosen.command, `${folder}/bin/python3`);
    // Its headers are in it, so only the compiler comes from Ubuntu.
    assert.equal(step(facts, "sources")?.ways[0].args[0], "g++");
    assert.deepEqual(step(facts, "runtime")?.after, ["prepare", "sources", "interpreter"]);
    const arm = choosePython(on("ubuntu 22.04", { architecture: "aarch64" }), vllm);
    assert.match(arm?.archive?.url ?? "", /-aarch64-unknown-linux-gnu/);
    assert.notEqual(arm?.archive?.sha256, sha256);
  });

  it("takes Amazon Linux's own python3.12, one install at a time, or unpacks one for who is not root", () => {
    const facts = on("amzn 2023");
    const interpreter = step(facts, "interpreter");
    assert.deepEqual(interpreter?.ways[0].args, [
      "/usr/bin/python3.12",
      "python3.12",
      "python3.12-devel",
      "gcc-c++",
    ]);
    assert.deepEqual([interpreter.usesPackages, interpreter.asRoot], [true, true]);
    assert.deepEqual(planBootstrap(facts, vllm).refusals, []);
    const guest = on("amzn 2023", { privileged: false });
    assert.equal(choosePython(guest, vllm)?.source, "archive");
  });

  it("leaves the system's Python to an engine that runs on it, and asks for none where none is needed", () => {
    const own: BootstrapWish = { ...vllm, engine: "transformers" };
    assert.equal(choosePython(on("ubuntu 22.04"), own)?.source, "system");
    assert.equal(choosePython(on("ubuntu 22.04"), { ...vllm, engine: "llama.cpp" }), undefined);
  });

  it("brings an older Python for a PyTorch that has no package for the system's", () => {
    const wish: BootstrapWish = { ...vllm, engine: "none", torch: "2.0" };
    const facts = on("ubuntu 24.04", { compiler: false });
    assert.match(choosePython(facts, wish)?.version ?? "", /^3\.11\./);
    const plan = planBootstrap(facts, wish);
    assert.deepEqual(plan.refusals, []);
    assert.equal(plan.torch?.cuda, "11.8");
    const python = step(facts, "python", wish);
    assert.match(
      python?.ways[0].args[1] ?? "",
      /interpreters\/cpython-3\.11\.\d+-\d{8}\/bin\/python3$/,
    );
    // PyTorch's wheels need no compiler.
    assert.equal(step(facts, "sources", wish)?.ways[0].args[0], "");
  });

  it("brings one to a system without Python, or with one that makes no environments", () => {
    const other = { os: "rocky", osVersion: "9" };
    const facts = hostFacts({ ...other, python: "3.12.1", pythonVenv: false });
    assert.match(choosePython(facts, vllm)?.why ?? "", /Python 3\.12\.1 without its venv module$/);
    const none = hostFacts({ ...other, python: "", pythonVenv: false });
    assert.match(choosePython(none, vllm)?.why ?? "", /rocky 9 has no Python$/);
    const jammy = on("ubuntu 22.04", { python: "" });
    assert.equal(choosePython(jammy, vllm)?.source, "archive", "what apt would install is 3.10");
  });

  it("takes a mirror and its sum, and what is emulated as it is", () => {
    const mirror = { url: "https://mirror.example.org/pythons/", sha256: "ab".repeat(32) };
    const chosen = choosePython(on("ubuntu 22.04"), { ...vllm, pythonMirror: mirror });
    assert.match(
      chosen?.archive?.url ?? "",
      /^https:\/\/mirror\.example\.org\/pythons\/\d{8}\/cpython-3\.12/,
    );
    assert.equal(chosen?.archive?.sha256, mirror.sha256);
    assert.equal(choosePython(on("ubuntu 22.04", { emulated: true }), vllm)?.source, "system");
  });

  it("is a line of the plan, with the reason", () => {
    const text = (facts: HostFacts) =>
      bootstrapPlanLines(facts, planBootstrap(facts, vllm)).join("\n");
    assert.match(text(on("ubuntu 24.04")), /^python {3}3\.12\.3, the system's$/m);
    assert.match(
      text(on("ubuntu 22.04")),
      /^python {3}CPython 3\.12\.\d+ of python-build-standalone/m,
    );
    assert.match(
      text(on("ubuntu 22.04", { compiler: false })),
      /^ {2}sources .*up to date; g\+\+ too/m,
    );
    assert.match(text(on("amzn 2023")), /^python {3}python3\.12 of Amazon Linux: vLLM/m);
  });
});
