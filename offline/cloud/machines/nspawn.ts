import type { MachineTier } from "./machine.ts";
import { imageCacheBytes, imageFolder, prepareImage, type System } from "./nspawn/image.ts";
import { KeptMachine } from "./nspawn/kept-machine.ts";
import { missing } from "./nspawn/host-check.ts";

/**
 * Machines as whole Debian systems in containers, each with its own systemd, sshd, disk, network address and metadata
 * service. Needs root on Linux, debootstrap and systemd-nspawn.
 */
export function debianTier(system: System): MachineTier {
  return {
    name: "nspawn",
    available: async () => {
      const why = await missing();
      return why === "" ? { ok: true, why } : { ok: false, why };
    },
    cacheBytes: () => imageCacheBytes(system),
    prepare: (progress) => prepareImage(system, progress),
    start: (spec) => KeptMachine.start(spec, imageFolder(system)),
  };
}

/** The tier of the emulated cloud: Debian 12. */
export const nspawnTier = debianTier("bookworm");
