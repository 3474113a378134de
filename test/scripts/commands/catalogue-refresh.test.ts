import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadImageDigests } from "../../../components/container-images/load-image-digests.ts";
import { loadCatalogue, loadShippedCatalogue } from "../../../components/catalogue/load.ts";
import { loadNotebookTypes } from "../../../components/notebook-instance/load-notebook-types.ts";
import { planNotebook } from "../../../components/notebook-instance/notebook-plan.ts";
import { refreshPrices } from "../../../components/catalogue/refresh.ts";
import { UserError } from "../../../components/user-error.ts";
import { startCloud, type Cloud } from "../../../offline/cloud/cloud.ts";
import type { ClientSettings } from "../../../scripts/adapters/account-scope.ts";
import { Terminal } from "../../../scripts/adapters/terminal.ts";
import { gather, refreshFile } from "../../../scripts/commands/catalogue-refresh.ts";

/** Tables of no region. */
const unasked = {
  spotHourlyUsd: {},
  spotHighHourlyUsd: {},
  hostingHourlyUsd: {},
  trainingHourlyUsd: {},
  notebookHourlyUsd: {},
  oneYearHourlyUsd: {},
  threeYearHourlyUsd: {},
  vcpuQuotas: {},
};

describe("berth catalogue refresh", () => {
  let cloud: Cloud;
  let folder: string;
  let said: string;
  const shipped = loadShippedCatalogue();
  const terminal = new Terminal(false, {
    out: (text) => void (said += text),
    err: () => undefined,
    interactive: false,
  });

  before(async () => {
    cloud = await startCloud({ tier: "none" });
  });
  after(async () => {
    await cloud.stop();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "berth-refresh-"));
    said = "";
  });
  afterEach(() => {
    cloud.clearFaults();
    rmSync(folder, { recursive: true });
  });

  const clientOf = (region: string): ClientSettings & { readonly maxAttempts: number } => ({
    region,
    endpoint: cloud.endpoint,
    credentials: { accessKeyId: "AKIAEMULATED00000000", secretAccessKey: "emulated" },
    maxAttempts: 1,
  });
  const refresh = (day: string, dryRun = false, asked = ["us-east-1"]) =>
    refreshFile(
      {
        folder,
        regions: asked,
        clientOf,
        now: new Date(`${day}T09:00:00Z`),
        source: "emulated AWS",
        dryRun,
      },
      terminal,
    );

  it("writes types, prices and quotas, which the catalogue then has", async () => {
    const { prices } = await refresh("2026-12-01", false, ["us-east-1", "eu-west-1"]);
    assert.equal(prices.onDemandHourlyUsd["us-east-1"]?.["g5.xlarge"], 1.006);
    assert.equal(prices.hostingHourlyUsd["us-east-1"]?.["ml.g5.xlarge"], 1.408);
    assert.equal(prices.vcpuQuotas["eu-west-1"]?.["L-DB2E81BA"], 768);
    const catalogue = loadCatalogue(folder);
    assert.equal(catalogue.version, "2026-12-01");
    const type = catalogue.instanceTypes.find(({ instanceType }) => instanceType === "g5.xlarge");
    assert.deepEqual(type?.prices?.["us-east-1"], {
      onDemandHourlyUsd: 1.006,
      spotHourlyUsd: 0.3521,
      spotHighHourlyUsd: 0.41246,
      asOf: "2026-12-01",
      source: "emulated AWS",
    });
    assert.equal(type.prices["us-west-2"]?.asOf, "2026-08-09");
    assert.equal(catalogue.vcpuQuotas?.["us-east-1"]?.["L-417A185B"], 768);
    assert.match(said, /spot us-east-1: g5\.xlarge new at \$0\.3521/);
    assert.deepEqual(readdirSync(folder), ["berth.images.json", "berth.prices.json"]);
  });

  it("reads the digest of each image of AWS's, and tells a tag that moved", async () => {
    const tagged = (region: string, account = "763104351884") =>
      `${account}.dkr.ecr.${region}.amazonaws.com/vllm:server-sagemaker-cuda-v2.6`;
    await refresh("2026-12-01", false, ["us-east-1", "eu-south-1"]);
    const { images = {} } = loadImageDigests(folder) ?? {};
    assert.equal(Object.keys(images).length, 10);
    assert.match(images[tagged("us-east-1")]?.digest ?? "", /^sha256:[0-9a-f]{64}$/);
    assert.equal(images[tagged("eu-south-1", "692866216735")]?.asOf, "2026-12-01");

    cloud.setFault({ kind: "image-moved", key: "vllm:" });
    said = "";
    await refresh("2026-12-09", true);
    assert.match(
      said,
      /image vllm:\S+ in us-east-1: the tag moved, sha256:\w{12} of 2026-12-01 ->/,
    );
    assert.deepEqual(loadImageDigests(folder)?.images, images);

    cloud.setFault({ kind: "access-denied", service: "ecr" });
    said = "";
    await refresh("2026-12-09");
    assert.match(said, /image vllm:\S+ in us-east-1: kept, for AccessDeniedException/);
    assert.deepEqual(loadImageDigests(folder)?.images, images);
  });

  it("reads what notebook instances cost, for every region that was asked", async () => {
    const asked = { notebookType: "ml.t3.large", idleMinutes: 60, region: "eu-west-1" };
    assert.throws(() => planNotebook(asked, loadNotebookTypes(folder)), /price .* is not known/);
    await refresh("2026-12-01", false, ["eu-west-1"]);
    const plan = planNotebook(asked, loadNotebookTypes(folder));
    assert.deepEqual([plan.hourlyUsd, plan.priceFrom], [0.1, "2026-12-01"]);
    const here = planNotebook({ ...asked, region: "us-east-1" }, loadNotebookTypes(folder));
    assert.equal(here.priceFrom, loadNotebookTypes().collectedAt);
  });

  it("reads reservations that are paid by the hour, and training jobs", async () => {
    await refresh("2026-12-01");
    const catalogue = loadCatalogue(folder);
    const type = catalogue.instanceTypes.find(({ instanceType }) => instanceType === "g5.xlarge");
    // Paid in advance is another price of an hour, and is not taken for it.
    const { oneYearHourlyUsd, threeYearHourlyUsd } = type?.reserved?.["us-east-1"] ?? {};
    assert.deepEqual([oneYearHourlyUsd, threeYearHourlyUsd], [0.63378, 0.43258]);
    assert.equal(type?.reserved?.["us-west-2"]?.threeYearHourlyUsd, undefined);
    const endpoint = catalogue.sagemakerTypes.find(
      ({ instanceType }) => instanceType === "ml.g5.xlarge",
    );
    assert.equal(endpoint?.prices?.["us-east-1"]?.trainingHourlyUsd, 1.408);
  });

  it("changes nothing the second time, and writes nothing in a dry run", async () => {
    await refresh("2026-12-01", true);
    assert.equal(existsSync(join(folder, "berth.prices.json")), false);
    await refresh("2026-12-01");
    const first = readFileSync(join(folder, "berth.prices.json"), "utf8");
    const { changes } = await refresh("2026-12-01");
    assert.deepEqual(
      changes.filter((change) => !change.startsWith("type ")),
      [],
    );
    assert.equal(readFileSync(join(folder, "berth.prices.json"), "utf8"), first);
  });

  it("keeps what it had of a source that fails, with its day", async () => {
    await refresh("2026-12-01");
    cloud.setFault({ kind: "access-denied", operation: "GetProducts" });
    const { prices, kept } = await refresh("2026-12-09");
    assert.equal(prices.onDemandHourlyUsd["us-east-1"]?.["g5.xlarge"], 1.006);
    assert.equal(prices.keptFrom?.["onDemandHourlyUsd us-east-1"], "2026-12-01");
    assert.equal(prices.keptFrom["spotHourlyUsd us-east-1"], undefined);
    assert.match(kept.join("\n"), /on demand us-east-1: kept, for AccessDenied/);
    const type = loadCatalogue(folder).instanceTypes.find(
      ({ instanceType }) => instanceType === "g5.xlarge",
    );
    assert.equal(type?.prices?.["us-east-1"]?.asOf, "2026-12-01");
    assert.equal(type.prices["us-east-1"].spotAsOf, "2026-12-09");
  });

  it("says in one line why each source failed", async () => {
    await refresh("2026-12-01");
    cloud.setFault({ kind: "cut-body", operation: "DescribeInstanceTypes" });
    cloud.setFault({ kind: "access-denied", operation: "GetServiceQuota" });
    const { kept } = await refresh("2026-12-09");
    assert.equal(kept.length, 2);
    assert.match(kept[0] ?? "", /^types us-east-1: kept, for [^\n]*aborted$/);
    assert.match(kept[1] ?? "", /^quota us-east-1: kept, for AccessDenied[^\n]*$/);
  });

  it("writes nothing when nothing answers", async () => {
    cloud.setFault({ kind: "access-denied" });
    await assert.rejects(
      refresh("2026-12-01", false, ["us-east-1"]),
      (error) =>
        error instanceof UserError &&
        error.message.includes("AWS answered none of the questions") &&
        error.problems.length === 4 &&
        /pricing:GetProducts [(]and \d more like it[)]$/.test(error.problems[1] ?? ""),
    );
    assert.deepEqual(readdirSync(folder), []);
  });

  it("does not take less than half of the types for an answer", async () => {
    const gathered = await gather(["us-east-1"], clientOf, {
      catalogue: shipped,
      now: new Date("2026-12-01T09:00:00Z"),
      source: "s",
      tell: () => undefined,
    });
    const { prices } = refreshPrices(shipped, undefined, gathered);
    const few = { "us-east-1": { values: { "g5.xlarge": 9 } } };
    const next = refreshPrices(shipped, prices, {
      ...gathered,
      today: "2026-12-02",
      answers: { ...gathered.answers, onDemandHourlyUsd: few },
    });
    assert.match(next.kept.join(), /on demand us-east-1: kept, for the answer has 1 of \d+ types/);
    assert.equal(next.prices.onDemandHourlyUsd["us-east-1"]?.["g5.xlarge"], 1.006);
  });

  it("says what became dearer, new and gone", () => {
    const old = refreshPrices(shipped, undefined, {
      today: "2026-12-01",
      source: "s",
      instanceTypes: [],
      answers: {
        onDemandHourlyUsd: {
          "ap-southeast-3": { values: { "g5.xlarge": 1, "g5.2xlarge": 2, "m7i.large": 3 } },
        },
        ...unasked,
      },
    }).prices;
    assert.deepEqual(old.onDemandHourlyUsd, {
      "ap-southeast-3": { "g5.2xlarge": 2, "g5.xlarge": 1 },
    });
    const { changes } = refreshPrices(shipped, old, {
      today: "2026-12-02",
      source: "s",
      instanceTypes: [],
      answers: {
        onDemandHourlyUsd: { "ap-southeast-3": { values: { "g5.xlarge": 1.1, "g6.xlarge": 0.8 } } },
        ...unasked,
      },
    });
    assert.deepEqual(changes, [
      "on demand ap-southeast-3: g5.2xlarge gone, was $2.0000",
      "on demand ap-southeast-3: g5.xlarge $1.0000 -> $1.1000 (+10.0 %)",
      "on demand ap-southeast-3: g6.xlarge new at $0.8000",
    ]);
  });
});
