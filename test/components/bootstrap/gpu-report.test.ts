import assert from "node:assert/strict";
import { clockFindings } from "../../../components/bootstrap/gpu-clocks.ts";
import { linkFindings, readLinks } from "../../../components/bootstrap/gpu-links.ts";
import { readGpuReport } from "../../../components/bootstrap/gpu-report.ts";
import { h100Verified } from "./recorded-h100.ts";

/** Twelve of eighteen links, as https://github.com/Azure/azurehpc-health-checks/issues/162 has it by design. */
const slotCard = (index: number) => [
  `GPU ${index}: NVIDIA H100 PCIe (UUID: GPU-6968dfc2-d444-d92c-c36b-6abe53445cb9)`,
  ...Array.from({ length: 18 }, (_, link) =>
    [4, 5, 10, 11, 16, 17].includes(link)
      ? `         Link ${link}: <inactive>`
      : `         Link ${link}: 26.562 GB/s`,
  ),
];

/** https://github.com/Azure/azhpc-diagnostics/issues/73 */
const brokenV100 = [
  "GPU 3: Tesla V100-SXM2-32GB (UUID: ...)",
  "         Link 0: 25.781 GB/s",
  "         Link 1: 25.781 GB/s",
  "         Link 2: 25.781 GB/s",
  "         Link 3: <inactive>",
  "         Link 4: 25.781 GB/s",
  "         Link 5: <inactive>",
];
const wholeV100 = (index: number) => [
  `GPU ${index}: Tesla V100-SXM2-32GB (UUID: ...)`,
  ...Array.from({ length: 6 }, (_, link) => `         Link ${link}: 25.781 GB/s`),
];

/** https://github.com/leptonai/gpud/issues/1085 */
const downB200 = (index: number) => [
  `GPU ${index}: NVIDIA B200 (UUID: GPU-xxx)`,
  "NVML: Unable to retrieve NVLink information as all links are inActive",
];
/** Of https://github.com/NVIDIA/k8s-test-infra/issues/371, with B200 for GB200. */
const wholeB200 = (index: number) => [
  `GPU ${index}: NVIDIA B200 (UUID: GPU-39ac7bce-e3d6-b426-008e-fa47897c72d5)`,
  ...Array.from({ length: 18 }, (_, link) => `         Link ${link}: 53.125 GB/s`),
];

describe("readGpuReport of a recorded H100", () => {
  it("has computed for real, and finds nothing", () => {
    const { cuda, gpus, devices, findings } = readGpuReport(h100Verified);
    assert.deepEqual([cuda, gpus.length, findings], ["real", 1, []]);
    assert.equal(devices[0]?.copyGBs, 2986.5);
  });
});

describe("linkFindings", () => {
  const findings = (...gpus: readonly string[][]) => linkFindings(readLinks(gpus.flat()));

  it("takes links that no GPU of the host uses for no fault", () => {
    assert.equal(readLinks(slotCard(0))[0]?.active, 12);
    assert.deepEqual(findings(slotCard(0), slotCard(1)), []);
    assert.deepEqual(findings(wholeB200(0), wholeB200(1)), []);
  });

  it("tells of a GPU that has fewer links than the others, or none", () => {
    assert.deepEqual(findings(wholeV100(0), wholeV100(1), brokenV100), [
      "GPU 3 has 4 NVLinks up, and others have 6",
    ]);
    assert.deepEqual(findings(wholeB200(0), wholeB200(1), downB200(2)), [
      "GPU 2 has 0 NVLinks up, and others have 18",
    ]);
    assert.deepEqual(findings(downB200(0), downB200(1)), [
      "none of the 2 GPUs has an NVLink that is up",
    ]);
  });

  it("tells of a link that is slower than the others", () => {
    const slow = wholeV100(1).with(3, "         Link 2: 19.406 GB/s");
    assert.deepEqual(findings(wholeV100(0), slow), [
      "GPU 1 has an NVLink at 19.406 GB/s, and others run at 25.781 GB/s",
    ]);
  });

  it("expects no links of GPUs that have none, of one GPU, or of cards without a bridge", () => {
    const l4 = ["GPU 0: NVIDIA L4 (UUID: GPU-1)", "Device does not have or support Nvlink"];
    assert.deepEqual(readLinks(l4), []);
    assert.deepEqual(findings(downB200(0)), []);
    const card = (index: number) => downB200(index).with(0, `GPU ${index}: NVIDIA A100 80GB PCIe`);
    assert.deepEqual(findings(card(0), card(1)), []);
    assert.deepEqual(readLinks(["nvidia-smi: unknown command"]), []);
  });
});

describe("clockFindings", () => {
  it("lets be what is idle, at its power limit, or not known", () => {
    const healthy = [
      "0, 0x0000000000000000, 1410, 1095",
      "1, 0x0000000000000001, 1095, 1095",
      "2, 0x0000000000000004, [N/A], [N/A]",
      "3, [N/A], [N/A], [N/A]",
    ];
    assert.deepEqual(clockFindings(healthy), []);
  });

  it("says why a GPU is slowed down, and that somebody set its clock down", () => {
    assert.deepEqual(
      clockFindings([
        "0, 0x0000000000000048, 1095, 1095",
        "1, 0x0000000000000088, 1095, 1095",
        "2, 0x0000000000000020, 1095, 1095",
        "3, 0x0000000000000001, 765, 1095",
      ]),
      [
        "GPU 0 runs below its clock: it is too hot",
        "GPU 1 runs below its clock: the power supply asks for it",
        "GPU 2 runs below its clock: it is hot, and its driver slows it",
        "GPU 3 is set to 765 MHz, and its default is 1095 MHz",
      ],
    );
  });
});

describe("readGpuReport", () => {
  it("has the findings of clocks, links and the kernel's log together", () => {
    const report = readGpuReport([
      "@clocks 0, 0x0000000000000040, 1095, 1095",
      ...[...wholeB200(0), ...downB200(1)].map((line) => `@nvlink ${line}`),
      "[  122.4] NVRM: Xid (PCI:0000:10:1c): 48, pid=1, DBE (double bit error)",
      "@cuda none",
    ]);
    assert.equal(report.findings.length, 3);
    assert.match(
      report.findings.join("\n"),
      /too hot[^]*GPU 1 has 0[^]*catalogue: \[ {2}122\.4\] NVRM/,
    );
  });
});
