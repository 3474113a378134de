import { parseFacts, type HostFacts } from "../../../components/bootstrap/facts.ts";

/** What the script tells on a deep-learning image of AWS with one A10G. */
export const deepLearningImage = `os=ubuntu
os_version=22.04
platform=Linux
architecture=x86_64
kernel=6.8.0-1063-aws
kernel_gcc=12
boot_id=8c1f
user=ubuntu
root=no
sudo=yes
systemd=yes
cloud_init=yes
apt=yes
emulated=no
cpus=4
memory_mib=15765
free_mib=51200
root_free_mib=51200
pci=0000:00:1e.0 2237 030200 152f nvidia
module=loaded
module_version=580.126.09
secure_boot=no
kernel_headers=yes
dpkg_interrupted=no
nvidia_smi=0
gpu=0, NVIDIA A10G, GPU-6a0e, 23028, 580.126.09
instance_store=/dev/nvme1n1 250000000000 free
weights_mounted=no
python=3.12.3
python_venv=yes
python_headers=yes
compiler=yes
docker=yes
`;

/** Those facts with some changed. */
export function hostFacts(changes: Partial<HostFacts> = {}): HostFacts {
  return { ...parseFacts(deepLearningImage), ...changes };
}

/** Facts of a host with these GPUs on the bus, by their PCI device numbers, and no driver at all. */
export function bareHost(devices: readonly string[], changes: Partial<HostFacts> = {}): HostFacts {
  const pci = devices.map((device, index) => ({
    address: `0000:${(0x10 + index).toString(16)}:00.0`,
    device,
    class: "030200",
    subsystemDevice: "16c1",
    driver: "",
  }));
  const none = { nvidiaSmi: "absent", nvidiaSmiSays: "", gpus: [], moduleLoaded: false } as const;
  return hostFacts({ ...none, moduleVersion: "", pci, pciGpus: devices.length, ...changes });
}
