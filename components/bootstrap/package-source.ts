import type { HostFacts } from "./facts.ts";
import type { BootstrapWish } from "./wish.ts";

/** Where a host gets the driver's packages. */
export interface PackageSource {
  /** `own`: the distribution's archive; `nvidia`: NVIDIA's repository for the distribution. */
  readonly kind: "own" | "nvidia";
  readonly url: string;
  /** Of the package `cuda-keyring` there, hexadecimal. */
  readonly keyringSha256: string;
  /** Packages that alone are taken from there; empty for all. */
  readonly only: readonly string[];
  readonly why: string;
}

const nvidiaRepositories = "https://developer.download.nvidia.com/compute/cuda/repos";
/** Of cuda-keyring_1.1-1_all.deb for Debian 12 (GoogleCloudPlatform/compute-gpu-installation, linux/cuda_installer/config.py). */
const keyringSha256 = "e7f219eab6fe4819cdb5c15b98233dc3420302d9c00883219cd3d896857cf48d";

/** NVIDIA's names of distributions and processors in its addresses. */
function repositoryPath({ os, osVersion, architecture }: HostFacts): string {
  const system = os === "amzn" ? `amzn${osVersion}` : `${os}${osVersion.replace(".", "")}`;
  return `${system}/${architecture === "aarch64" ? "sbsa" : "x86_64"}`;
}

/** The container toolkit, which Ubuntu's archive lacks and NVIDIA's repositories have beside the driver. */
const toolkitPackages = ["nvidia-container-toolkit*", "libnvidia-container*"];

/**
 * Ubuntu's archive has the driver in all its forms, and mixing in NVIDIA's is the usual cause of a fabric manager that does
 * not fit; so NVIDIA's repository is used only where the distribution has no current driver, and for what it lacks.
 */
export function packageSource(
  facts: HostFacts,
  wish: Pick<BootstrapWish, "mirror" | "containers">,
): PackageSource {
  const base = wish.mirror?.url.replace(/\/+$/, "") ?? nvidiaRepositories;
  const rest = {
    url: `${base}/${repositoryPath(facts)}`,
    keyringSha256: wish.mirror?.keyringSha256 ?? keyringSha256,
  };
  const system = `${facts.os} ${facts.osVersion}`;
  if (facts.os !== "ubuntu")
    return { kind: "nvidia", ...rest, only: [], why: `NVIDIA's repository for ${system}` };
  if (wish.containers === true) {
    const why =
      "Ubuntu's archive for the driver, NVIDIA's repository for the container toolkit alone";
    return { kind: "nvidia", ...rest, only: toolkitPackages, why };
  }
  const why = "Ubuntu's archive has the driver; its lists are brought up to date";
  return { kind: "own", ...rest, only: [], why };
}
