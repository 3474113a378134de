import { UserError } from "../user-error.ts";
import type { SoftwareStack } from "../sizing/software-stack.ts";

/** Patch release of each PyTorch release, as PyPI had it on {@link pinnedOn}. */
const torchPatch: Readonly<Record<string, string>> = { "2.14": "2.14.1" };

/** The CUDA build that PyPI's own package of a PyTorch release has; all others come from PyTorch's index. */
const pypiCuda: Readonly<Record<string, string>> = { "2.14": "13.0" };

/** When the versions below were the newest ones on PyPI. */
export const pinnedOn = "2026-11-25";

/** Hugging Face's training libraries, Apache-2.0 all of them. */
const trainingPackages: Readonly<Record<string, string>> = {
  transformers: "5.24.0",
  trl: "1.16.0",
  peft: "0.21.2",
  accelerate: "1.15.0",
  datasets: "5.2.0",
};

/** Only for jobs that use them. */
const optionalPackages = { bitsandbytes: "0.50.2", deepspeed: "0.19.8" } as const;

const pytorchIndex = "https://download.pytorch.org/whl";

/** Which libraries a job needs besides those of every job. */
export interface PackageNeeds {
  readonly bitsandbytes: boolean;
  readonly deepspeed: boolean;
}

/**
 * Megatron-LM as packages: Megatron-Core, and Megatron Bridge, which brings weights there and back. Apache-2.0, as is
 * Transformer Engine; they are of Python 3.12 (https://pypi.org/project/megatron-bridge/0.6.2/).
 */
const megatronPackages: Readonly<Record<string, string>> = {
  "megatron-bridge": "0.6.2",
  "megatron-core": "0.19.2",
};

/**
 * Text of `requirements.txt` of a training by Megatron-LM.
 *
 * @throws UserError when the PyTorch release has no pin
 */
export function megatronRequirements(software: SoftwareStack): string {
  const packages = Object.entries(megatronPackages).map(([name, version]) =>
    name === "megatron-bridge" ? `${name}[te]==${version}` : `${name}==${version}`,
  );
  return [...torchLines(software), ...packages, ""].join("\n");
}

function torchLines({ pytorch, cuda }: SoftwareStack): readonly string[] {
  const patch = torchPatch[pytorch];
  if (patch === undefined) {
    throw new UserError(`PyTorch ${pytorch} has no pinned patch release for a training.`, {
      hint: `There are pins for ${Object.keys(torchPatch).join(", ")}.`,
    });
  }
  const build = `cu${cuda.replace(".", "")}`;
  const torch =
    pypiCuda[pytorch] === cuda
      ? [`torch==${patch}`]
      : [`--extra-index-url ${pytorchIndex}/${build}`, `torch==${patch}+${build}`];
  return [`# CUDA ${cuda}; pinned on ${pinnedOn}.`, ...torch];
}

/**
 * Text of `requirements.txt`: exact versions, PyTorch in the build that was chosen for the GPU.
 *
 * @throws UserError when the PyTorch release has no pin
 */
export function requirementsText(software: SoftwareStack, needs: PackageNeeds): string {
  const chosen = Object.entries(optionalPackages).filter(
    ([name]) => needs[name as keyof PackageNeeds],
  );
  const packages = [...Object.entries(trainingPackages), ...chosen];
  return [
    ...torchLines(software),
    ...packages.map(([name, version]) => `${name}==${version}`),
    "",
  ].join("\n");
}
