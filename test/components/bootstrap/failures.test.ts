import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import {
  classifyLog,
  evidenceLines,
  failureMode,
  failureModes,
} from "../../../components/bootstrap/failures.ts";
import { troubleshootingPage } from "../../../components/bootstrap/troubleshooting-page.ts";

/** Logs as people posted them, with where; shortened to the lines that tell. */
const recorded: readonly [string, string, string][] = [
  [
    "E_LOCK_APT",
    "https://github.com/servo/ci-runners/issues/57",
    "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 2448 (unattended-upgr)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\nError: Process completed with exit code 100.",
  ],
  [
    "E_LOCK_APT",
    "https://github.com/Azure/aks-engine/pull/1538",
    "E: Could not get lock /var/lib/dpkg/lock-frontend - open (11: Resource temporarily unavailable)\nE: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
  ],
  [
    "E_NETWORK",
    "apt 2.6 of Debian 12, on a machine without a name server",
    "Err:2 http://nvidia.test/ubuntu2404/x86_64 ./ InRelease\n  Temporary failure resolving 'nvidia.test'\nE: Some index files failed to download. They have been ignored, or old ones used instead.",
  ],
  [
    "E_FM_VERSION",
    "https://github.com/NVIDIA/gpu-operator/issues/544",
    "nv-fabricmanager[3228]: fabric manager NVIDIA GPU driver interface version 530.30.02 don't match with driver version 530.41.03. Please update with matching NVIDIA driver package.",
  ],
  [
    "E_FM_VERSION",
    "https://github.com/akash-network/website/pull/632",
    "Nov 05 13:55:26 node1 nv-fabricmanager[104230]: fabric manager NVIDIA GPU driver interface version 550.127.05 doesn't match with driver version 550.120. Please update with the matching NVIDIA driver package.",
  ],
  [
    "E_FLAVOUR",
    "https://github.com/NVIDIA/nvtrust/issues/55",
    "The NVIDIA GPU 0000:01:00.0 (PCI ID: 10de:2330)\n[   38.034696] NVRM: installed in this system is not supported by the\n[   38.034696] NVRM: NVIDIA 550.90.07 driver release.",
  ],
  [
    "E_SECUREBOOT",
    "https://github.com/linux-surface/linux-surface/issues/906",
    "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service",
  ],
  [
    "E_SECUREBOOT",
    "https://github.com/hhfeuer/nvhda/issues/8",
    "modprobe: ERROR: could not insert 'nvidia': Required key not available",
  ],
  [
    "E_DRIVER",
    "https://github.com/GoogleCloudPlatform/compute-gpu-installation/pull/18",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.",
  ],
  [
    "E_MISMATCH",
    "https://github.com/lyulyul/shine-cluster/issues/50",
    "Failed to initialize NVML: Driver/library version mismatch",
  ],
  [
    "E_CTR_NVML",
    "https://github.com/dstackai/dstack/issues/2860",
    "Failed to initialize NVML: Unknown Error",
  ],
  [
    "E_DPKG_INTERRUPTED",
    "https://github.com/commonsense/conceptnet5/issues/272",
    "dpkg: error processing package libpam0g:amd64 (--configure):\n installed post-installation script subprocess returned error exit status 1\nE: Sub-process /usr/bin/dpkg returned an error code (1)",
  ],
  [
    "E_REPO_SYNC",
    "https://github.com/NVIDIA/cuda-repo-management/issues/15",
    "E: Failed to fetch https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2204/x86_64/Packages.gz  File has unexpected size (1234 != 1230). Mirror sync in progress?",
  ],
  [
    "E_REPO_KEY",
    "https://github.com/NVIDIA/nvidia-docker/issues/1631",
    "W: GPG error: https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2004/x86_64  InRelease: The following signatures couldn't be verified because the public key is not available: NO_PUBKEY A4B469963BF863CC",
  ],
  [
    "E_REPO_KEY",
    "https://github.com/NVIDIA/cuda-repo-management/issues/39",
    "E: Conflicting values set for option Signed-By regarding source https://developer.download.nvidia.com/compute/cuda/repos/ubuntu2204/x86_64/ /",
  ],
  [
    "E_GCC",
    "https://github.com/aws/aws-parallelcluster-cookbook/pull/2852",
    "gcc: error: unrecognized command-line option '-ftrivial-auto-var-init=zero'",
  ],
  [
    "E_HEADERS",
    "https://github.com/NVIDIA/gpu-operator/issues/583",
    "make: *** /lib/modules/5.15.0-1036-aws/build: No such file or directory.  Stop.",
  ],
  [
    "E_NO_MODULE",
    "https://github.com/compiler-explorer/infra/issues/1413",
    "modprobe: FATAL: Module nvidia not found in directory /lib/modules/6.8.0-1015-aws",
  ],
  [
    "E_NOUVEAU",
    "https://github.com/mattshma/bigdata/issues/133",
    "NVRM: The NVIDIA probe routine was not called for 1 device(s).\nNVRM: This can occur when a driver such as:\nNVRM: nouveau, rivafb, nvidiafb or rivatv",
  ],
  [
    "E_GSP",
    "https://github.com/NVIDIA/open-gpu-kernel-modules/issues/446",
    "NVRM: Xid (PCI:0000:00:1e): 119, pid=1234, Timeout waiting for RPC from GSP!",
  ],
  [
    "E_XID_FATAL",
    "https://docs.nvidia.com/deploy/xid-errors/analyzing-xid-catalog.html",
    "NVRM: Xid (PCI:0000:10:1c): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus.",
  ],
  [
    "E_HELD",
    "https://github.com/awslabs/amazon-eks-ami/issues/2544",
    "The following packages have unmet dependencies:\nE: Unable to correct problems, you have held broken packages.",
  ],
  [
    "E_COMPILER",
    "https://github.com/gpustack/gpustack/issues/1242",
    "/tmp/tmp_bcihhdm/main.c:5:10: fatal error: Python.h: No such file or directory",
  ],
  [
    "E_COMPILER",
    "https://github.com/vllm-project/vllm/issues/2997",
    "RuntimeError: Failed to find C compiler. Please specify via CC environment variable.",
  ],
  [
    "E_DISK",
    "https://github.com/amazonlinux/amazon-linux-2023/issues/1054",
    "cp: error writing: No space left on device",
  ],
];

describe("classifyLog", () => {
  for (const [code, source, log] of recorded) {
    it(`names ${code} in a log of ${source.replace("https://github.com/", "")}`, () => {
      const mode = classifyLog(["some line before", ...log.split("\n"), "some line after"]);
      assert.equal(mode?.code, code);
      assert.ok(evidenceLines(mode, log.split("\n")).length > 0);
    });
  }

  it("takes no lock that was waited for in the end for the cause", () => {
    const waited =
      "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1 (apt)";
    const after = Array.from({ length: 30 }, (_, line) => `Unpacking ${line}`);
    const end = "modprobe: ERROR: could not insert 'nvidia': Key was rejected by service";
    assert.equal(classifyLog([waited, ...after, end])?.code, "E_SECUREBOOT");
    assert.equal(classifyLog([waited, ...after]), undefined);
  });

  it("names the compiler where dpkg complains of the build that failed for it", () => {
    const log = [
      "dpkg: error processing package nvidia-dkms-580 (--configure):",
      " installed nvidia-dkms-580 package post-installation script subprocess returned error exit status 10",
      "E: Sub-process /usr/bin/dpkg returned an error code (1)",
      "gcc: error: unrecognized command-line option '-ftrivial-auto-var-init=zero'",
    ];
    assert.equal(classifyLog(log)?.code, "E_GCC");
  });

  it("claims nothing of a log that it does not know", () => {
    assert.equal(classifyLog(["Setting up dkms (3.0.10-8)", "done"]), undefined);
  });
});

describe("The table of failures", () => {
  it("has each code once, with a signal or a place where it shows", () => {
    const codes = failureModes.map(({ code }) => code);
    assert.equal(new Set(codes).size, codes.length);
    for (const { code, signal, shownBy } of failureModes) {
      assert.match(code, /^E_[A-Z_]+$/);
      assert.ok((signal === undefined) !== (shownBy === undefined), code);
    }
  });

  it("knows the failures of every layer", () => {
    const named =
      "LOCK_APT CLOUD_INIT NEEDRESTART REPO_SYNC REPO_KEY HELD HEADERS GCC NO_MODULE NOUVEAU FLAVOUR NO_GPU MISMATCH FABRIC FM_VERSION CUDA_COMPAT GSP XID_FATAL CTR_NVML DISK SECUREBOOT REBOOT_TIMEOUT";
    for (const code of named.split(" ")) assert.equal(failureMode(`E_${code}`).code, `E_${code}`);
    assert.throws(() => failureMode("E_OTHER"));
  });

  it("has for each code a test that produces it on a whole machine or a real sshd", () => {
    const live = new URL("../../live/", import.meta.url);
    const tests = readdirSync(live).filter((name) => /^bootstrap-.*\.test\.ts$/.test(name));
    const text = tests.map((name) => readFileSync(new URL(name, live), "utf8")).join("\n");
    // A code in quotes is what `failsWith` and `wentOnPast` are given; the two take no other form.
    const produced = new Set([...text.matchAll(/"(E_[A-Z_]+)"/g)].map(([, code]) => code));
    const codes = failureModes.map(({ code }) => code);
    assert.deepEqual(
      codes.filter((code) => !produced.has(code)),
      [],
    );
    assert.deepEqual(
      [...produced].filter((code) => code === undefined || !codes.includes(code)),
      [],
    );
  });

  it("is what docs/troubleshooting.md says", () => {
    const page = new URL("../../../docs/troubleshooting.md", import.meta.url);
    assert.equal(readFileSync(page, "utf8"), troubleshootingPage());
  });
});
