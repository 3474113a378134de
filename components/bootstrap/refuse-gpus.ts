import type { GpuFact, HostFacts } from "./facts.ts";
import { gpusOnBus } from "./gpu-hardware.ts";
import type { Refusal } from "./refusal.ts";
import type { BootstrapWish } from "./wish.ts";

const hardwareRemedy =
  "A GPU that is missing on the right instance type is a hardware fault: stop and start the instance to move it.";
const modelRemedy =
  "The instance type and the catalogue disagree: report it with the instance type's name.";

function plainModel(name: string): string {
  return name.toLowerCase().replaceAll(/nvidia|tesla|geforce|[^a-z0-9]/g, "");
}

/** What is wrong with the GPUs that a host shows; undefined when they are the ones that were asked for. */
export function refuseGpus(
  gpus: readonly GpuFact[],
  wish: BootstrapWish["gpu"],
): Refusal | undefined {
  const listed = gpus.length === 0 ? "none" : gpus.map(({ name }) => name).join(", ");
  if (gpus.length !== wish.count) {
    return {
      code: gpus.length < wish.count ? "E_GPU_MISSING" : "E_GPU_COUNT",
      message: `nvidia-smi lists ${gpus.length} GPUs (${listed}), and ${wish.count} are expected`,
      remedy: hardwareRemedy,
    };
  }
  const stranger = gpus.find(({ name }) => !plainModel(name).includes(plainModel(wish.model)));
  if (stranger === undefined) return undefined;
  return {
    code: "E_GPU_MODEL",
    message: `GPU ${stranger.index} is a ${stranger.name}, and ${wish.model} is expected`,
    remedy: modelRemedy,
  };
}

/** The same by the PCI bus, before a driver is there to ask; what the bus does not tell is left to {@link refuseGpus}. */
export function refuseGpusOnBus(facts: HostFacts, wish: BootstrapWish["gpu"]): Refusal[] {
  const gpus = gpusOnBus(facts);
  if (wish.count === 0 || gpus.length === 0 || facts.emulated) return [];
  if (gpus.length !== wish.count) {
    return [
      {
        code: gpus.length < wish.count ? "E_GPU_MISSING" : "E_GPU_COUNT",
        message: `${gpus.length} GPUs are on the PCI bus, and ${wish.count} are expected`,
        remedy: hardwareRemedy,
      },
    ];
  }
  const stranger = gpus.find(
    ({ model }) => model !== undefined && !plainModel(wish.model).startsWith(plainModel(model)),
  );
  if (stranger === undefined) return [];
  return [
    {
      code: "E_GPU_MODEL",
      message: `the GPU on the PCI bus is a ${stranger.model}, and ${wish.model} is expected`,
      remedy: modelRemedy,
    },
  ];
}
