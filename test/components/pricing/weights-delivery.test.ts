import assert from "node:assert/strict";
import fc from "fast-check";
import {
  weightsDelivery,
  type DeliveryCase,
} from "../../../components/pricing/weights-delivery.ts";

const g5: DeliveryCase = {
  weightsGiB: 12.5,
  localNvmeGB: 250,
  networkGbps: 2.5,
  networkGbpsPeak: 10,
};

const cases: fc.Arbitrary<DeliveryCase> = fc.record({
  weightsGiB: fc.double({ min: 0.01, max: 2000, noNaN: true }),
  localNvmeGB: fc.option(fc.double({ min: 0, max: 30_000, noNaN: true }), { nil: undefined }),
  networkGbps: fc.option(fc.double({ min: 0.5, max: 3200, noNaN: true }), { nil: undefined }),
  networkGbpsPeak: fc.option(fc.double({ min: 0.5, max: 3200, noNaN: true }), { nil: undefined }),
});

describe("weightsDelivery", () => {
  it("fills NVMe disks from S3 as fast as the network card, and a volume at gp3's rate", () => {
    const [nvme] = weightsDelivery(g5);
    assert.equal(nvme?.way, "s3-instance-store");
    // 12.5 GiB over half of 2.5 Gbit/s, and over 85 % of 10 Gbit/s.
    assert.ok(Math.abs(nvme.seconds.high - 85.9) < 0.1, String(nvme.seconds.high));
    assert.ok(Math.abs(nvme.seconds.low - 12.63) < 0.01, String(nvme.seconds.low));
    const [volume] = weightsDelivery({ ...g5, localNvmeGB: 0 });
    assert.equal(volume?.way, "s3-volume");
    assert.ok(Math.abs(volume.seconds.low - 102.4) < 0.1);
  });

  it("does not fill disks that are too small, nor faster than they write", () => {
    assert.equal(weightsDelivery({ ...g5, weightsGiB: 230 })[0]?.way, "s3-volume");
    const large = {
      weightsGiB: 266,
      localNvmeGB: 30_000,
      networkGbps: 3200,
      networkGbpsPeak: 3200,
    };
    const [first] = weightsDelivery(large);
    assert.deepEqual(first?.seconds, { low: 100, high: 100 });
    assert.match(first.why, /disks/);
  });

  it("prices what is kept: snapshots by size, fast restore by the hour, Lustre by its steps", () => {
    const keep = (given: DeliveryCase) =>
      Object.fromEntries(weightsDelivery(given).map((each) => [each.way, each.keepMonthlyUsd]));
    assert.ok(Math.abs((keep(g5)["fast-snapshot-restore"] ?? 0) - 548.125) < 1e-9);
    assert.ok(Math.abs((keep(g5)["fsx-lustre"] ?? 0) - 174) < 1e-9);
    assert.ok(Math.abs((keep({ ...g5, weightsGiB: 1300 })["fsx-lustre"] ?? 0) - 348) < 1e-9);
  });

  it("gives each case times that are ranges, and more weights more time", () => {
    fc.assert(
      fc.property(cases, (given) => {
        const ways = weightsDelivery(given);
        for (const { seconds } of ways)
          assert.ok(
            seconds.low > 0 && seconds.low <= seconds.high && Number.isFinite(seconds.high),
          );
        const more = weightsDelivery({ ...given, weightsGiB: given.weightsGiB * 2 });
        for (const [index, { way, seconds }] of ways.entries()) {
          const other = more[index];
          if (other?.way === way && way !== "fsx-lustre")
            assert.ok(other.seconds.low >= seconds.low);
        }
      }),
    );
  });
});
