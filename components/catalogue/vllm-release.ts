import table from "./data/vllm-architectures.json" with { type: "json" };

/**
 * vLLM as it is installed where it serves (docs/adr/0010-vllm-0.33.md), and the PyTorch that it brings: its package names one
 * exactly and is built with that CUDA release (`requirements/cuda.txt` and `vllm/envs.py`, VLLM_MAIN_CUDA_VERSION, of
 * https://pypi.org/project/vllm/0.33.0/).
 *
 * `packages` go with it: bitsandbytes is a plugin of its own since vLLM 0.2x (https://github.com/vllm-project/vllm-bnb-plugin).
 */
export const vllmRelease = {
  version: "0.33.0",
  torch: "2.14",
  cuda: "13.0",
  /** Oldest Python that it is made for. */
  python: "3.11",
  packages: ["vllm-bnb-plugin==0.0.3", "bitsandbytes==0.49.2"],
} as const;

const architectures: ReadonlySet<string> = new Set(table.rows);

/**
 * What a resource on the host takes as an input beside its engine, so that a host which has an older release gets this one with
 * the next `up`; undefined for an engine that comes with berth itself.
 */
export function engineVersionOf(engine: string): string | undefined {
  return engine === "vllm" ? vllmRelease.version : undefined;
}

/** Whether that release has code for an architecture, as config.json names it. */
export function vllmServes(architecture: string): boolean {
  return architectures.has(architecture);
}
