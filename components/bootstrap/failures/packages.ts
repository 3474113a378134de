import type { FailureMode } from "./failure-mode.ts";

/** Failures of packages and where they come from, the more telling signals first. */
export const packageFailures: readonly FailureMode[] = [
  {
    code: "E_DISK",
    title: "No room on the disk",
    signal:
      /No space left on device|You don't have enough free space|more space needed on the \S+ filesystem/,
    cause: "A driver takes up to 2 GB, PyTorch 7 GB, and the image left less.",
    done: "The room is looked at before anything is installed.",
    remedy: "Give the host a larger root volume with `rootVolumeGiB`.",
    action: "stop",
    evidence: "https://github.com/amazonlinux/amazon-linux-2023/issues/1054",
  },
  {
    code: "E_LOCK_APT",
    title: "Something else installs packages",
    signal:
      /Could not get lock|Unable to (lock directory|acquire the dpkg frontend lock)|already locked by \d+/,
    passing: true,
    cause: "First boot, unattended upgrades or a person use the package system.",
    done: "Automatic upgrades are stopped, and the lock is waited for, ten minutes; its holder is named in the log, and never killed.",
    remedy: "Let the holder end, then run again.",
    action: "stop",
    evidence: "https://github.com/skypilot-org/skypilot/issues/4237",
  },
  {
    // Before dpkg's own complaint, which a build that fails leaves behind it.
    code: "E_GCC",
    title: "The compiler is not the kernel's",
    signal:
      /unrecognized command-line option|Failed CC version check|compiler differs from the one used to build the kernel/,
    cause: "The kernel was built by another major version of gcc than the system's.",
    done: "gcc of the kernel's major version is installed and told to DKMS.",
    remedy: "Update the image's kernel, or use an image with the driver.",
    action: "next-way",
    evidence: "https://github.com/aws/aws-parallelcluster-cookbook/pull/2852",
  },
  {
    code: "E_DPKG_INTERRUPTED",
    title: "dpkg was cut off in the middle of its work",
    signal:
      /dpkg was interrupted, you must manually run|post-installation script subprocess returned error/,
    passing: true,
    cause:
      "A power cut, a reboot or a kill while packages were set up, or a package whose script fails.",
    done: "`dpkg --configure -a` is run before anything is installed.",
    remedy: "Read the log: the package that is named does not set itself up.",
    action: "stop",
    evidence: "https://github.com/commonsense/conceptnet5/issues/272",
  },
  {
    code: "E_REPO_KEY",
    title: "The repository's signature is not accepted",
    signal:
      /NO_PUBKEY|Conflicting values set for option Signed-By|is not signed|(SHA-256|key is) \w+, and \w+ is expected|GPG check FAILED|EXPKEYSIG|BADSIG/,
    cause: "The key changed, or two lists name the same repository with different keys.",
    done: "The key's package is checked against its sum; another list of the repository is set aside.",
    remedy:
      "Remove old lists of the repository from /etc/apt/sources.list.d, or give the mirror's own `keyringSha256`.",
    action: "next-way",
    evidence: "https://github.com/NVIDIA/nvidia-docker/issues/1631",
  },
  {
    code: "E_REPO_SYNC",
    title: "The mirror is half-way through an update",
    signal:
      /File has unexpected size|Mirror sync in progress|404  Not Found|Hash Sum mismatch|Status code: 404|checksum doesn't match/,
    passing: true,
    cause: "The mirror's list names files that it does not have yet, or no longer.",
    done: "Lists are fetched again and the step tried three more times, then the next way to the driver.",
    remedy: "Wait a quarter of an hour, or name another mirror.",
    action: "next-way",
    evidence: "https://github.com/NVIDIA/cuda-repo-management/issues/15",
  },
  {
    code: "E_NETWORK",
    title: "The package source cannot be reached",
    signal:
      /Could(n't| not) resolve|Temporary failure (in name resolution|resolving)|Could not connect to|Connection (timed out|refused)|curl: \((6|7|28)\)/,
    passing: true,
    cause: "No route, no name server or a firewall.",
    done: "It is tried again by apt itself.",
    remedy: "Give the subnet a way out, or name a `mirror` that it reaches.",
    action: "next-way",
    evidence: "https://github.com/servo/ci-runners/issues/57",
  },
  {
    code: "E_HEADERS",
    title: "The headers of the running kernel are not to be had",
    signal: /\/lib\/modules\/\S+\/build: No such file/,
    cause: "The archive keeps headers of current kernels only, and the image is older.",
    done: "They are looked for before anything is compiled.",
    remedy: "Use a newer image, or update the kernel and reboot before `up`.",
    action: "next-way",
    evidence: "https://github.com/NVIDIA/gpu-operator/issues/583",
  },
  {
    code: "E_HELD",
    title: "The packages do not fit each other",
    signal:
      /held broken packages|unmet dependencies|Unable to (locate package|find a match)|has no installation candidate/,
    cause: "The archive has no modules for this kernel, or a package is held at another version.",
    done: "It is tried out before anything is installed, and then the next way is taken.",
    remedy: "Read the `Depends:` lines of the log; `apt-mark showhold` names what is held.",
    action: "next-way",
    evidence: "https://github.com/awslabs/amazon-eks-ami/issues/2544",
  },
  {
    code: "E_NO_MODULE",
    title: "There is no module for the running kernel",
    signal: /Module nvidia not found|module nvidia not found/i,
    cause: "The kernel was updated, and the driver's modules were not.",
    done: "Modules for the running kernel are installed, the next way.",
    remedy: "Reboot into the kernel that the modules are for, or keep kernels from being updated.",
    action: "next-way",
    evidence: "https://github.com/compiler-explorer/infra/issues/1413",
  },
];
