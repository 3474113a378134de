import type { HostFacts } from "./facts.ts";
import { hasNvLink5 } from "./gpu-hardware.ts";
import type { Refusal } from "./refusal.ts";
import type { BootstrapWish } from "./wish.ts";

/** Where a host gets the driver's packages. */
export interface PackageSource {
  /** `own`: the distribution's archive; `nvidia`: NVIDIA's repository for the distribution. */
  readonly kind: "own" | "nvidia";
  readonly url: string;
  /** What the key there is known by, hexadecimal; "" where nothing is known. */
  readonly keyPin: string;
  /** Packages that alone are taken from there; empty for all. */
  readonly only: readonly string[];
  readonly why: string;
}

const nvidiaRepositories = "https://developer.download.nvidia.com/compute/cuda/repos";

/**
 * What NVIDIA's key is known by in each of its repositories: on Amazon Linux the key's fingerprint, elsewhere the SHA-256 of
 * `cuda-keyring_1.1-1_all.deb`. These sums differ, since the package also carries the list of its own repository; Debian 13's
 * carries a newer key.
 *
 * amzn2023: what dnf shows when it takes in the key D42D0685. x86_64 of the others: `linux/cuda_installer/config.py` of
 * GoogleCloudPlatform/compute-gpu-installation, v1.8.1. sbsa: what people who pin it have written down (November 2026). A
 * wrong pin installs nothing: it ends in E_REPO_KEY.
 */
const keyPins: Readonly<Record<string, string>> = {
  "amzn2023/sbsa": "610C7B14E068A878070DA4E99CD0A493D42D0685",
  "amzn2023/x86_64": "610C7B14E068A878070DA4E99CD0A493D42D0685",
  "debian12/sbsa": "bf2f53b1a19259501119f732bdef2699f8c80c69a18e6a78dad78d67d96766dc",
  "debian12/x86_64": "e7f219eab6fe4819cdb5c15b98233dc3420302d9c00883219cd3d896857cf48d",
  "debian13/x86_64": "dd28f1f6ba0038180d6b23f846cefca1e3de4c9327751665241370bacea452a1",
  "ubuntu2204/sbsa": "36d1aed84dfcf93ee9a0212d149f1c4187db92e03ab96a759ec0689aa438fd9e",
  "ubuntu2204/x86_64": "d93190d50b98ad4699ff40f4f7af50f16a76dac3bb8da1eaaf366d47898ff8df",
  "ubuntu2404/sbsa": "6ea7d2737648936820e85677177957a0f6521b840d98eb0bbae0a4f003fa7249",
  "ubuntu2404/x86_64": "d2a6b11c096396d868758b86dab1823b25e14d70333f1dfa74da5ddaf6a06dba",
};

/** NVIDIA's names of distributions and processors in its addresses. */
function repositoryPath({ os, osVersion, architecture }: HostFacts): string {
  const system = os === "amzn" ? `amzn${osVersion}` : `${os}${osVersion.replace(".", "")}`;
  return `${system}/${architecture === "aarch64" ? "sbsa" : "x86_64"}`;
}

/** The container toolkit, which Ubuntu's archive lacks and NVIDIA's repositories have beside the driver. */
const toolkitPackages = ["nvidia-container-toolkit*", "libnvidia-container*"];

/** The subnet manager of Blackwell's switches, likewise. */
const subnetManagerPackages = ["nvlsm*"];

/**
 * Ubuntu's archive has the driver in all its forms, and mixing in NVIDIA's is the usual cause of a fabric manager that does
 * not fit; so NVIDIA's repository is used only where the distribution has no current driver, and for what it lacks.
 */
export function packageSource(
  facts: HostFacts,
  wish: Pick<BootstrapWish, "mirror" | "containers">,
): PackageSource {
  const base = wish.mirror?.url.replace(/\/+$/, "") ?? nvidiaRepositories;
  const path = repositoryPath(facts);
  const rest = {
    url: `${base}/${path}`,
    keyPin: wish.mirror?.keyringSha256 ?? keyPins[path] ?? "",
  };
  const system = `${facts.os} ${facts.osVersion}`;
  if (facts.os !== "ubuntu")
    return { kind: "nvidia", ...rest, only: [], why: `NVIDIA's repository for ${system}` };
  const lacking = [
    ...(wish.containers === true ? [{ what: "the container toolkit", only: toolkitPackages }] : []),
    ...(hasNvLink5(facts) ? [{ what: "the subnet manager", only: subnetManagerPackages }] : []),
  ];
  if (lacking.length > 0) {
    const whats = lacking.map(({ what }) => what).join(" and ");
    const why = `Ubuntu's archive for the driver, NVIDIA's repository for ${whats} alone`;
    return { kind: "nvidia", ...rest, only: lacking.flatMap(({ only }) => only), why };
  }
  const why = "Ubuntu's archive has the driver; its lists are brought up to date";
  return { kind: "own", ...rest, only: [], why };
}

/** Why NVIDIA's repository cannot be believed: nobody wrote down the sum of the package with its key. */
export function refuseSource(source: PackageSource): Refusal[] {
  if (source.kind !== "nvidia" || source.keyPin !== "") return [];
  return [
    {
      code: "E_REPO_KEY",
      message: `nothing is known of the key of ${source.url}`,
      remedy:
        "Give the SHA-256 of its cuda-keyring_1.1-1_all.deb, with the repositories' address, as `mirror` (berth bootstrap: --mirror, --mirror-keyring-sha256), or use another system.",
    },
  ];
}
