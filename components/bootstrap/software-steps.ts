import { hasApt } from "./choose-python.ts";
import { dataFolderWord } from "./data-folder-word.ts";
import type { Draft, StepGround, StepName } from "./plan-steps.ts";
import { pythonPackages } from "./python-engines.ts";

/**
 * Whether kernels are compiled on the host: Triton, which vLLM computes with, builds its launchers against Python's headers when
 * the server starts (triton/runtime/build.py; https://github.com/vllm-project/vllm/issues/27890).
 */
function compilesKernels({ wish, facts }: StepGround): boolean {
  return wish.engine === "vllm" && !facts.emulated;
}

/** Packages of Ubuntu's or Debian's archive that are installed before anything else. */
export function packagesFirst(ground: StepGround): readonly string[] {
  const { facts, python } = ground;
  // What only stands for a machine has the packages of the one that it is on, and they are left alone.
  if (python === undefined || !hasApt(facts) || facts.emulated || facts.folder !== "") return [];
  const own = python.source === "system";
  const compiles = compilesKernels(ground);
  return [
    ...(own && !facts.pythonVenv ? ["python3-venv"] : []),
    ...(own && compiles && !facts.pythonHeaders ? ["python3-dev"] : []),
    ...(compiles && !facts.compiler ? ["g++"] : []),
  ];
}

/** Brings another Python than the system's. */
function interpreterSteps(ground: StepGround): Draft[] {
  const { python } = ground;
  if (python === undefined || python.source === "system") return [];
  const { archive, command, version, what: why } = python;
  const name = "interpreter";
  if (archive !== undefined) {
    const args = [archive.folder, archive.url, archive.sha256];
    const ways: Draft["ways"] = [{ script: "interpreter-archive", args, why }];
    return [{ name, ways, usesPackages: false, asRoot: false }];
  }
  const compiler = compilesKernels(ground) ? [`python${version}-devel`, "gcc-c++"] : [];
  const args = [command, `python${version}`, ...compiler];
  const ways: Draft["ways"] = [{ script: "interpreter-dnf", args, why }];
  return [{ name, ways, usesPackages: true, asRoot: true }];
}

function environmentSteps({ torch, python, wish }: StepGround): Draft[] {
  if (torch === undefined || python === undefined) return [];
  const packages = pythonPackages(wish.engine) ?? [];
  const folder = `${dataFolderWord}/python`;
  const args = [folder, python.command, torch.torch, torch.indexUrl, ...packages];
  const why = `PyTorch ${torch.torch}, CUDA ${torch.cuda}: ${torch.why}`;
  return [
    {
      name: "python",
      ways: [{ script: "python", args, why }],
      after: ["sources", "interpreter"],
      usesPackages: false,
      asRoot: false,
    },
  ];
}

/** The Python, its environments, and the engine that serves. */
export function softwareSteps(ground: StepGround): readonly Draft[] {
  const { wish, python } = ground;
  const steps = [...interpreterSteps(ground), ...environmentSteps(ground)];
  if (wish.engine === "none") return steps;
  const made: StepName[] = python === undefined ? [] : ["sources", "interpreter"];
  const runtime: Draft = {
    name: "runtime",
    ways: [{ script: "runtime", args: [], why: `the engine: ${wish.engine}` }],
    // Its server runs in the environment that the step before makes.
    after: pythonPackages(wish.engine) === undefined ? made : [...made, "python"],
    usesPackages: false,
    asRoot: false,
  };
  return [...steps, runtime];
}
