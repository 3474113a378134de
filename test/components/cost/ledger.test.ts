import assert from "node:assert/strict";
import fc from "fast-check";
import { ledgerOf, sumBy, totalUsd } from "../../../components/cost/ledger.ts";
import type { Measurement, PricePoint, RunRecord, Usage } from "../../../components/cost/usage.ts";

const at = (minutes: number) =>
  `${new Date(Date.UTC(2026, 10, 1) + minutes * 60_000).toISOString().slice(0, 19)}Z`;
const monthMinutes = 30 * 24 * 60;
const monthEnd = new Date(at(monthMinutes));

function run(usages: readonly Usage[], change: Partial<RunRecord> = {}): RunRecord {
  const identity = { runId: "r1", stack: "dev", env: "dev", owner: "alice", model: "m" };
  return { ...identity, region: "us-east-1", usages, charges: [], ...change };
}

function instance(from: number, to: number | undefined, change: Partial<Usage> = {}): Usage {
  return {
    kind: "instance",
    resourceId: "i-1",
    type: "g6.xlarge",
    units: 1,
    span: { from: at(from), to: to === undefined ? undefined : at(to) },
    prices: [{ from: at(from), hourlyUsd: 2 }],
    ...change,
  };
}

describe("ledgerOf", () => {
  it("counts by the price of the launch, a line a day", () => {
    const lines = ledgerOf([run([instance(22 * 60, 26 * 60)])], monthEnd);
    assert.deepEqual(
      lines.map(({ day, unitHours, usd }) => [day, unitHours, usd]),
      [
        ["2026-11-01", 2, 4],
        ["2026-11-02", 2, 4],
      ],
    );
  });

  it("counts what runs until now, and nothing that lies ahead", () => {
    const [now, runs] = [new Date(at(90)), [run([instance(0, undefined), instance(120, 180)])]];
    assert.equal(totalUsd(ledgerOf(runs, now)), 3);
  });

  it("pays a stopped instance nothing, and its volume on", () => {
    const stopped = [{ from: at(60), to: at(180) }];
    const volume: Usage = {
      ...instance(0, 240),
      kind: "volume",
      units: 100,
      prices: [{ from: at(0), hourlyUsd: 0.0001 }],
      stopped,
    };
    const lines = ledgerOf([run([instance(0, 240, { stopped }), volume])], monthEnd);
    assert.deepEqual(
      sumBy(lines, "kind").map(({ name, usd }) => [name, Math.round(usd * 1e6) / 1e6]),
      [
        ["instance", 4],
        ["volume", 0.04],
      ],
    );
  });

  it("follows the price of a spot pool", () => {
    const prices: [PricePoint, ...PricePoint[]] = [
      { from: at(-500), hourlyUsd: 1 },
      { from: at(60), hourlyUsd: 3 },
      { from: at(90), hourlyUsd: 0.5 },
    ];
    assert.equal(totalUsd(ledgerOf([run([instance(0, 120, { prices })])], monthEnd)), 2.75);
  });

  it("counts what is measured, and not the time between", () => {
    const measured = [
      { from: at(0), to: at(60), units: 0.5 },
      { from: at(120), to: at(180), units: 2 },
      { from: at(240), units: 1 },
    ];
    const scaled: Usage = { ...instance(0, undefined, { measured }), kind: "endpoint" };
    assert.equal(totalUsd(ledgerOf([run([scaled])], new Date(at(300)))), 1 + 4 + 2);
  });

  it("bills a minute at least", () => {
    const short = instance(0, 0, { span: { from: at(0), to: "2026-11-01T00:00:20Z" } });
    assert.equal(totalUsd(ledgerOf([run([short])], monthEnd)), 2 / 60);
  });

  it("adds what is paid once", () => {
    const charges = [{ kind: "egress", at: at(10), what: "answers", usd: 0.09 }] as const;
    assert.equal(totalUsd(ledgerOf([run([], { charges })], monthEnd)), 0.09);
  });
});

/** A month as the cloud meters it: minute by minute, with no thought of intervals. */
interface MeteredRun {
  readonly from: number;
  readonly minutes: number;
  readonly spot: boolean;
  readonly hourlyUsd: number;
  readonly stops: readonly (readonly [number, number])[];
  readonly volumeGiB: number;
  /** A bucket whose size changes once in the run's time. */
  readonly bucketGiB: readonly [before: number, after: number];
  /** Instances of an endpoint in each stretch of so many minutes; an asynchronous one has none in some. */
  readonly instances: readonly number[];
}

const stretchMinutes = 45;
const addressHourlyUsd = 0.005;
const bucketHourlyUsd = 0.023 / 730;
const endpointHourlyUsd = 1.41;

/** Of a run's endpoint at a minute of the month. */
function instancesAt({ from, minutes, instances }: MeteredRun, minute: number): number {
  if (minute < from || minute >= from + minutes) return 0;
  return instances[Math.floor((minute - from) / stretchMinutes) % instances.length] ?? 0;
}

/** When a run's bucket changes its size. */
function resizedAt({ from, minutes }: MeteredRun): number {
  return from + Math.floor(minutes / 3);
}

const volumeHourlyUsd = 0.08 / 730;

/** The market's price at a minute: it moves every three hours. */
function marketFactor(minute: number, seed: number): number {
  return 0.4 + 0.3 * Math.abs(Math.sin(Math.floor(minute / 180) * 12.9898 + seed));
}

function cloudBill(runs: readonly MeteredRun[]): number {
  let usd = 0;
  for (const [seed, run] of runs.entries()) {
    const { from, minutes, spot, hourlyUsd, stops, volumeGiB, bucketGiB } = run;
    for (let minute = from; minute < from + minutes; minute += 1) {
      usd += (volumeGiB * volumeHourlyUsd) / 60;
      usd += (bucketGiB[minute < resizedAt(run) ? 0 : 1] * bucketHourlyUsd) / 60;
      usd += (instancesAt(run, minute) * endpointHourlyUsd) / 60;
      if (stops.some(([begin, end]) => minute >= begin && minute < end)) continue;
      usd += (hourlyUsd * (spot ? marketFactor(minute, seed) : 1)) / 60;
      usd += addressHourlyUsd / 60;
    }
  }
  return usd;
}

/** An endpoint as CloudWatch tells of it: a sample a minute and instance, summed by the hour. */
function measuredHours(run: MeteredRun): readonly Measurement[] {
  const hours: Measurement[] = [];
  for (let hour = run.from - (run.from % 60); hour < run.from + run.minutes; hour += 60) {
    let samples = 0;
    for (let minute = hour; minute < hour + 60; minute += 1) samples += instancesAt(run, minute);
    if (samples > 0) hours.push({ from: at(hour), to: at(hour + 60), units: samples / 60 });
  }
  return hours;
}

/** What of a run is neither its instance nor its volume. */
function otherUsages(run: MeteredRun, seed: number): readonly Usage[] {
  const { from, minutes, stops, bucketGiB } = run;
  const span = { from: at(from), to: at(from + minutes) };
  const price = (hourlyUsd: number): [PricePoint] => [{ from: at(from), hourlyUsd }];
  const resized = at(resizedAt(run));
  return [
    {
      ...{ kind: "address", resourceId: `i-${seed}/public-ipv4`, type: "public IPv4", units: 1 },
      span,
      prices: price(addressHourlyUsd),
      stopped: stops.map(([begin, end]) => ({ from: at(begin), to: at(end) })),
    },
    {
      ...{ kind: "bucket", resourceId: `b-${seed}`, type: "S3 Standard", units: bucketGiB[1] },
      span,
      prices: price(bucketHourlyUsd),
      measured: [
        { from: span.from, to: resized, units: bucketGiB[0] },
        { from: resized, to: span.to, units: bucketGiB[1] },
      ],
    },
    {
      ...{ kind: "endpoint", resourceId: `e-${seed}`, type: "ml.g5.xlarge", units: 0 },
      span,
      prices: price(endpointHourlyUsd),
      measured: measuredHours(run),
    },
  ];
}

/** The same month as launch records and the pools' price histories tell it. */
function recordOf(run: MeteredRun, seed: number): RunRecord {
  const { from, minutes, spot, hourlyUsd, stops, volumeGiB } = run;
  const history: PricePoint[] = [];
  for (let minute = from - (from % 180); minute < from + minutes; minute += 180) {
    history.push({ from: at(minute), hourlyUsd: hourlyUsd * marketFactor(minute, seed) });
  }
  const [first = { from: at(from), hourlyUsd }, ...rest] = history;
  const span = { from: at(from), to: at(from + minutes) };
  const stopped = stops.map(([begin, end]) => ({ from: at(begin), to: at(end) }));
  return {
    ...{ runId: `run-${seed}`, stack: "dev", env: "dev", owner: "alice", model: "m" },
    region: "us-east-1",
    charges: [],
    usages: [
      {
        ...{
          kind: "instance",
          resourceId: `i-${seed}`,
          type: "g6.xlarge",
          units: 1,
          span,
          stopped,
        },
        prices: spot ? [first, ...rest] : [{ from: at(from), hourlyUsd }],
      },
      {
        ...{ kind: "volume", resourceId: `vol-${seed}`, type: "gp3", units: volumeGiB, span },
        prices: [{ from: at(from), hourlyUsd: volumeHourlyUsd }],
      },
      ...otherUsages(run, seed),
    ],
  };
}

describe("a month of 200 runs", () => {
  const metered: fc.Arbitrary<MeteredRun> = fc
    .record({
      from: fc.integer({ min: 0, max: monthMinutes - 3000 }),
      minutes: fc.integer({ min: 1, max: 2900 }),
      spot: fc.boolean(),
      hourlyUsd: fc.double({ min: 0.5, max: 98, noNaN: true }),
      stop: fc.option(
        fc.tuple(fc.integer({ min: 0, max: 2000 }), fc.integer({ min: 1, max: 900 })),
      ),
      volumeGiB: fc.integer({ min: 20, max: 2000 }),
      bucketGiB: fc.tuple(fc.nat({ max: 900 }), fc.nat({ max: 900 })),
      instances: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 8 }),
    })
    .map(({ stop, ...run }) => {
      const begin = Math.min(run.from + (stop?.[0] ?? 0), run.from + run.minutes);
      const end = Math.min(begin + (stop?.[1] ?? 0), run.from + run.minutes);
      return { ...run, stops: stop === null ? [] : [[begin, end] as const] };
    });

  it("comes within 2 % of the cloud's own ledger, price changes, stops, scaling and sizes included", () => {
    fc.assert(
      fc.property(fc.array(metered, { minLength: 200, maxLength: 200 }), (runs) => {
        const ours = totalUsd(ledgerOf(runs.map(recordOf), monthEnd));
        const theirs = cloudBill(runs);
        assert.ok(Math.abs(ours - theirs) <= theirs * 0.02, `${ours} is not ${theirs}`);
      }),
      { numRuns: 5 },
    );
  });

  it("is the same sum, however it is grouped", () => {
    fc.assert(
      fc.property(fc.array(metered, { maxLength: 20 }), (runs) => {
        const lines = ledgerOf(runs.map(recordOf), monthEnd);
        for (const by of ["day", "kind", "runId"] as const) {
          const sum = sumBy(lines, by).reduce((total, { usd }) => total + usd, 0);
          assert.ok(Math.abs(sum - totalUsd(lines)) < 1e-6);
        }
      }),
      { numRuns: 20 },
    );
  });
});
