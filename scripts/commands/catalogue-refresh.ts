import { existsSync, readFileSync } from "node:fs";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import type { InstanceType } from "../../components/catalogue/instance-type.ts";
import { loadShippedCatalogue, pricesFile } from "../../components/catalogue/load.ts";
import { parsePrices, type Prices } from "../../components/catalogue/prices.ts";
import {
  refreshPrices,
  type Answer,
  type Gathered,
  type Refreshed,
} from "../../components/catalogue/refresh.ts";
import { UserError } from "../../components/user-error.ts";
import { accountOf } from "../adapters/account.ts";
import { describeGpuTypes, instanceTypeOf } from "../adapters/aws-instance-types.ts";
import {
  hostingPrices,
  onDemandPrices,
  spotPrices,
  vcpuQuotas,
  type ByName,
} from "../adapters/aws-prices.ts";
import { readClock } from "../adapters/clock.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import type { ClientSettings } from "../adapters/receipt.ts";
import { repository } from "../adapters/repository.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../exit-code.ts";
import type { CatalogueOptions } from "./catalogue.ts";

const shownChanges = 40;

async function answerOf(question: Promise<ByName>): Promise<Answer> {
  try {
    return { values: await question };
  } catch (error) {
    const name = error instanceof Error && error.name !== "Error" ? `${error.name}: ` : "";
    return { failed: `${name}${error instanceof Error ? error.message : String(error)}` };
  }
}

interface RegionAnswers {
  readonly onDemandHourlyUsd: Answer;
  readonly spotHourlyUsd: Answer;
  readonly hostingHourlyUsd: Answer;
  readonly vcpuQuotas: Answer;
  readonly types: readonly InstanceType[];
  readonly typesFailed: string | undefined;
}

function gpuModelsByFamily({ accelerators }: Catalogue): ReadonlyMap<string, string> {
  // A slice of a GPU is described by hand, for EC2 gives its count in whole ones.
  return new Map(
    accelerators.flatMap(({ model, awsFamilies = [] }) =>
      awsFamilies
        .filter((family) => !/^gr?\d+f$/.test(family))
        .map((family) => [family, model] as const),
    ),
  );
}

async function askRegion(
  settings: ClientSettings,
  catalogue: Catalogue,
  now: Date,
): Promise<RegionAnswers> {
  const models = gpuModelsByFamily(catalogue);
  const names = catalogue.instanceTypes.map(({ instanceType }) => instanceType);
  const described = await describeGpuTypes(settings).then(
    (found) => ({ found, failed: undefined }),
    (error: unknown) => ({
      found: [],
      failed: error instanceof Error ? error.message : String(error),
    }),
  );
  const types = described.found.flatMap((info) => instanceTypeOf(info, models) ?? []);
  const offered = described.found.flatMap(({ InstanceType: name }) =>
    name === undefined ? [] : [name as string],
  );
  // EC2 refuses a question that names a type which the region does not have.
  const asked = offered.length === 0 ? names : names.filter((name) => offered.includes(name));
  const [onDemandHourlyUsd, spotHourlyUsd, hostingHourlyUsd, quotas] = await Promise.all([
    answerOf(onDemandPrices(settings)),
    answerOf(spotPrices(settings, asked, now)),
    answerOf(hostingPrices(settings)),
    answerOf(vcpuQuotas(settings)),
  ]);
  return {
    onDemandHourlyUsd,
    spotHourlyUsd,
    hostingHourlyUsd,
    vcpuQuotas: quotas,
    types,
    typesFailed: described.failed,
  };
}

/** Puts the questions to AWS, region after region. A question that fails is an answer too. */
export async function gather(
  regions: readonly string[],
  clientOf: (region: string) => ClientSettings,
  of: {
    readonly catalogue: Catalogue;
    readonly now: Date;
    readonly source: string;
    readonly tell: (text: string) => void;
  },
): Promise<Gathered & { readonly failedTypes: readonly string[] }> {
  const tables = {
    onDemandHourlyUsd: {},
    spotHourlyUsd: {},
    hostingHourlyUsd: {},
    vcpuQuotas: {},
  } as Record<
    "onDemandHourlyUsd" | "spotHourlyUsd" | "hostingHourlyUsd" | "vcpuQuotas",
    Record<string, Answer>
  >;
  const types = new Map<string, InstanceType>();
  const failedTypes: string[] = [];
  for (const region of regions) {
    of.tell(`asking ${region} ...`);
    const answers = await askRegion(clientOf(region), of.catalogue, of.now);
    for (const table of [
      "onDemandHourlyUsd",
      "spotHourlyUsd",
      "hostingHourlyUsd",
      "vcpuQuotas",
    ] as const) {
      tables[table][region] = answers[table];
    }
    for (const type of answers.types) types.set(type.instanceType, type);
    if (answers.typesFailed !== undefined)
      failedTypes.push(`types ${region}: kept, for ${answers.typesFailed}`);
  }
  const today = of.now.toISOString().slice(0, 10);
  return {
    today,
    source: of.source,
    answers: tables,
    instanceTypes: [...types.values()],
    failedTypes,
  };
}

function readPrices(path: string): Prices | undefined {
  return existsSync(path) ? parsePrices(readFileSync(path, "utf8"), pricesFile) : undefined;
}

/** Whole or not at all: a reader, or the next run after a crash, never sees half a file. */
async function writeWhole(path: string, prices: Prices): Promise<void> {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(draft, `${JSON.stringify(prices, null, 1)}\n`, { flush: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw new UserError(`${path} cannot be written.`, { cause: error, problems: [String(error)] });
  }
}

function regionsOf({ region }: CatalogueOptions, catalogue: Catalogue): readonly string[] {
  const asked = region ?? [
    ...new Set(catalogue.instanceTypes.flatMap(({ prices = {} }) => Object.keys(prices))),
  ];
  const wrong = asked.filter((name) => !/^[a-z]{2}(-[a-z]+)+-\d+$/.test(name));
  if (wrong.length === 0) return asked;
  throw new UserError("A region is named that cannot be one.", {
    problems: wrong.map((name) => `--region: "${name}"`),
    hint: "Such as --region us-east-1 eu-west-1.",
  });
}

function sourceOf(cloud: LocalCloud | undefined): string {
  return cloud === undefined ? "AWS Price List and EC2 APIs" : "emulated AWS";
}

function lines({ changes, kept }: Refreshed, failedTypes: readonly string[]): readonly string[] {
  const more = changes.length - shownChanges;
  return [
    ...changes.slice(0, shownChanges),
    ...(more > 0 ? [`and ${more} more changes; --json has them all`] : []),
    ...failedTypes,
    ...kept,
  ];
}

/** `berth catalogue refresh`: reads types, prices and quotas of the regions from AWS into `berth.prices.json`. */
export async function runRefresh(
  options: CatalogueOptions,
  terminal: Terminal,
  folder: string = repository,
): Promise<number> {
  const catalogue = loadShippedCatalogue();
  const path = join(folder, pricesFile);
  const before = readPrices(path);
  const { env = "dev", dryRun = false } = options;
  const cloud = cloudOf(env);
  const now = await readClock(cloud);
  const regions = regionsOf(options, catalogue);
  const tell = (text: string): void => {
    terminal.status(text);
  };
  const clientOf = (region: string): ClientSettings => accountOf(env, region, cloud).client;
  const gathered = await gather(regions, clientOf, {
    catalogue,
    now,
    source: sourceOf(cloud),
    tell,
  });
  const refreshed = refreshPrices(catalogue, before, gathered);
  const { prices, changes, kept } = refreshed;
  const answered = Object.values(gathered.answers).some((byRegion) =>
    Object.values(byRegion).some((answer) => "values" in answer),
  );
  terminal.say(...lines(refreshed, gathered.failedTypes));
  if (!answered) {
    throw new UserError("AWS answered none of the questions; nothing was written.", {
      problems: kept.slice(0, 6),
      hint: "docs/iam-policy.md has the read-only policy that a refresh needs.",
    });
  }
  if (!dryRun) await writeWhole(path, prices);
  terminal.say(
    `${changes.length} changes, ${kept.length} kept; ${dryRun ? "nothing written" : `written to ${path}`}`,
  );
  terminal.result({
    file: dryRun ? null : path,
    regions,
    changes,
    kept: [...gathered.failedTypes, ...kept],
    prices,
  });
  return exitCode.ok;
}
