import assert from "node:assert/strict";
import type { InstanceTypeInfo } from "@aws-sdk/client-ec2";
import { instanceTypeOf } from "../../../scripts/adapters/aws-instance-types.ts";

const models = new Map([["g5", "A10G"]]);
const info: InstanceTypeInfo = {
  InstanceType: "g5.xlarge",
  CurrentGeneration: false,
  VCpuInfo: { DefaultVCpus: 4 },
  MemoryInfo: { SizeInMiB: 16384 },
  ProcessorInfo: { SupportedArchitectures: ["x86_64"] },
  InstanceStorageInfo: { TotalSizeInGB: 250 },
  GpuInfo: {
    Gpus: [{ Name: "A10G", Manufacturer: "NVIDIA", Count: 1, MemoryInfo: { SizeInMiB: 22888 } }],
  },
  NetworkInfo: {
    EfaSupported: false,
    NetworkCards: [{ BaselineBandwidthInGbps: 2.5, PeakBandwidthInGbps: 10 }],
  },
};

describe("instanceTypeOf", () => {
  it("takes what EC2 says, and the GPU that the catalogue has for the family", () => {
    assert.deepEqual(instanceTypeOf(info, models), {
      instanceType: "g5.xlarge",
      gpuModel: "A10G",
      gpuCount: 1,
      gpuMemoryMiBApi: 22888,
      vcpus: 4,
      memoryGiB: 16,
      cpuArchitecture: "x86_64",
      localNvmeGB: 250,
      currentGeneration: false,
      networkGbps: 2.5,
      networkGbpsPeak: 10,
      efa: false,
      source: "EC2 DescribeInstanceTypes",
    });
  });

  it("leaves the network of several cards alone, whose figures do not add up", () => {
    const card = { BaselineBandwidthInGbps: 400, PeakBandwidthInGbps: 400 };
    const made = instanceTypeOf({ ...info, NetworkInfo: { NetworkCards: [card, card] } }, models);
    assert.equal(made?.networkGbps, undefined);
  });

  it("refuses no GPU at all, one of another maker, and a family that is not known", () => {
    const gpu = info.GpuInfo!.Gpus![0]!;
    const withGpu = (change: object) => ({ ...info, GpuInfo: { Gpus: [{ ...gpu, ...change }] } });
    assert.equal(instanceTypeOf(withGpu({ Count: 0 }), models), undefined);
    assert.equal(instanceTypeOf(withGpu({ Manufacturer: "AMD" }), models), undefined);
    assert.equal(instanceTypeOf({ ...info, GpuInfo: undefined }, models), undefined);
    assert.equal(
      instanceTypeOf({ ...info, InstanceType: "g9.xlarge" as never }, models),
      undefined,
    );
  });
});
