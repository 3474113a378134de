import { vllmRelease } from "../catalogue/vllm-release.ts";
import type { DriverChoice } from "./choose-driver.ts";
import type { TorchBuild } from "./choose-torch.ts";
import type { HostFacts } from "./facts.ts";
import type { Refusal } from "./refusal.ts";
import type { BootstrapWish } from "./wish.ts";

/** Room for Node, the engine and logs, MiB; the weights are checked for by their own sync. */
const minimumFreeMiB = 600;
/** Room on the root disk for a driver: 0.7 to 2.0 GB were installed on Ubuntu 24.04 with branch 580. */
const driverMiB = 3000;
/**
 * Room for an environment with PyTorch: PyTorch 2.14 with CUDA 13.0 and transformers take 5.8 GB on disk, and the wheels, all
 * of which pip fetches before it unpacks one, 3.1 GB (sums over PyPI's files, 2026-11-26).
 */
const torchMiB = 9000;
/** Room for vLLM 0.33.0 and the 200 packages that it brings: 9.6 GB on disk and 4.3 GB of wheels, by the same sums. */
const vllmMiB = 14_000;

/** What takes room. */
interface RoomGround {
  readonly wish: BootstrapWish;
  readonly driver: DriverChoice;
  readonly torch: TorchBuild | undefined;
}

/** What is still to be made in the data folder, MiB: what is there already takes no more. */
function environmentsMiB(facts: HostFacts, { wish, torch }: RoomGround): number {
  const own = (build: TorchBuild): boolean =>
    facts.torch.startsWith(`${build.torch}.`) &&
    facts.torch.endsWith(`+${build.indexUrl.split("/").at(-1) ?? ""}`);
  const vllm = wish.engine === "vllm" && !facts.emulated;
  return (
    (vllm && !facts.vllm.includes(vllmRelease.version) ? vllmMiB : 0) +
    (torch !== undefined && !own(torch) ? torchMiB : 0)
  );
}

/** Another release of the engine serves until the new one has answered, and takes its room until then. */
function besideWords({ vllm }: HostFacts, { wish }: RoomGround): string {
  if (wish.engine !== "vllm" || vllm.length === 0 || vllm.includes(vllmRelease.version)) return "";
  return `, beside vLLM ${vllm.join(", ")}, which goes when ${vllmRelease.version} has answered`;
}

/** Why there is no room for what is to be installed. */
export function refuseRoom(facts: HostFacts, ground: RoomGround): Refusal[] {
  const { strategy } = ground.driver;
  const installs = strategy === "precompiled" || strategy === "dkms";
  const wanted = [
    {
      what: "the data folder's disk",
      free: facts.freeMiB,
      needed: minimumFreeMiB + environmentsMiB(facts, ground),
      beside: besideWords(facts, ground),
    },
    {
      what: "the root disk",
      free: facts.rootFreeMiB,
      needed: installs ? driverMiB : 0,
      beside: "",
    },
  ];
  return wanted
    .filter(({ free, needed }) => free < needed)
    .map(({ what, free, needed, beside }) => ({
      code: "E_DISK",
      message: `${what} has ${free} MiB free, and ${needed} MiB are needed${beside}`,
      remedy: "Give the host a larger root volume with `rootVolumeGiB`.",
    }));
}
