/** What facts.sh told on a virtual machine with one H100 80GB HBM3, Ubuntu 24.04 and driver 580.159.04 (2026-11-26). */
export const h100Facts = `os=ubuntu
os_version=24.04
platform=Linux
architecture=x86_64
kernel=6.18.44-fc-v657-gpu
kernel_gcc=15
boot_id=3ddd
user=root
root=yes
sudo=no
systemd=no
cloud_init=no
apt=yes
emulated=no
berth_root=
cpus=16
memory_mib=128887
free_mib=65383
root_free_mib=65383
pci=0000:00:06.0 2330 030200 16c1 nvidia
module=loaded
module_version=580.159.04
kernel_headers=no
dpkg_interrupted=no
nvidia_smi=0
gpu=0, NVIDIA H100 80GB HBM3, GPU-642f, 81559, 580.159.04
weights_mounted=no
python=3.12.3
python_venv=yes
docker=no
`;

/** What verify.sh printed there, 0.7 s for all of it. */
export const h100Verified = [
  "@gpu 0, NVIDIA H100 80GB HBM3, GPU-642f, 81559, 580.159.04",
  "@health 0, 0, 1980, 5, 16",
  '@device {"index": 0, "name": "NVIDIA H100 80GB HBM3", "computeCapability": "9.0", "memoryMiB": 81079, "ecc": true, "computes": true, "copyGBs": 2986.5, "nominalGBs": 3352.3, "peers": 0}',
  "a kernel gave the right numbers on 1 GPUs",
  "@clocks 0, 0x0000000000000000, 1980, 1980",
  "@cuda real",
];
