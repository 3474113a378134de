import type { ModuleFlavour } from "./gpu-hardware.ts";

/** What may be asked of the driver; nothing needs to be. */
export interface DriverWish {
  /** Driver branch, such as 580. @default 580, or what the GPU needs */
  readonly branch?: number | undefined;
  /** @default open where the GPU allows it */
  readonly modules?: ModuleFlavour | undefined;
  /** Replace a driver that works. @default false */
  readonly replace?: boolean | undefined;
}

/** Where packages of NVIDIA come from instead of its own server, for networks that do not reach it. */
export interface PackageMirror {
  /** Takes the place of `https://developer.download.nvidia.com/compute/cuda/repos`. */
  readonly url: string;
  /** SHA-256 of the `cuda-keyring` package there, hexadecimal. @default NVIDIA's own */
  readonly keyringSha256?: string | undefined;
  /** Takes the place of `https://download.pytorch.org/whl`. @default that */
  readonly torchUrl?: string | undefined;
}

/** Where a Python comes from that the host's system lacks, for networks that do not reach GitHub. */
export interface PythonMirror {
  /**
   * Takes the place of `https://github.com/astral-sh/python-build-standalone/releases/download`, with the same paths beneath
   * it, as UV_PYTHON_INSTALL_MIRROR does for uv.
   */
  readonly url: string;
  /** SHA-256 of the archive there, hexadecimal, for a build of somebody's own. @default that of the project's */
  readonly sha256?: string | undefined;
}

/** What is needed of a Python. */
export interface PythonNeed {
  /** What needs it, in words, such as "vLLM 0.33.0". */
  readonly who: string;
  /** Versions that do, such as "3.12". */
  readonly versions: readonly string[];
}

/** What the host has to be. */
export interface BootstrapWish {
  readonly gpu: { readonly model: string; readonly count: number };
  /** What serves the model; `none` leaves that out. */
  readonly engine: string;
  readonly driver?: DriverWish | undefined;
  /** A Python environment with this PyTorch ("2.0", or "newest"). @default none */
  readonly torch?: string | undefined;
  /** A Python for somebody else's environment. @default none */
  readonly python?: PythonNeed | undefined;
  /** NVIDIA's container toolkit too. @default false */
  readonly containers?: boolean | undefined;
  readonly mirror?: PackageMirror | undefined;
  /** @default the project's own releases */
  readonly pythonMirror?: PythonMirror | undefined;
}
