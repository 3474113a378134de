import { join } from "node:path";
import type { Catalogue } from "../../components/catalogue/catalogue.ts";
import type { InstanceType } from "../../components/catalogue/instance-type.ts";
import { loadPrices, loadShippedCatalogue, pricesFile } from "../../components/catalogue/load.ts";
import { priceTables, type PriceTable } from "../../components/catalogue/prices.ts";
import {
  refreshPrices,
  type Answer,
  type Gathered,
  type Refreshed,
} from "../../components/catalogue/refresh.ts";
import { UserError } from "../../components/user-error.ts";
import { credentialsProblem } from "../adapters/aws-problem.ts";
import { accountOf } from "../adapters/account.ts";
import { describeTypes, instanceTypeOf } from "../adapters/aws-instance-types.ts";
import {
  instancePrices,
  notebookPrices,
  sagemakerPrices,
  spotPrices,
  vcpuQuotas,
  type ByName,
} from "../adapters/aws-prices.ts";
import { readClock } from "../adapters/clock.ts";
import { cloudOf, type LocalCloud } from "../adapters/local-cloud.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import { repository } from "../adapters/repository.ts";
import type { Terminal } from "../adapters/terminal.ts";
import { exitCode } from "../cli/exit-code.ts";
import { refreshImages, type RefreshRequest } from "../adapters/refresh-images.ts";
import { writeRefreshed } from "../adapters/write-refreshed.ts";
import type { CatalogueOptions } from "./catalogue.ts";

const shownChanges = 40;

/** The Price List answers for all regions in one place, and throttles. */
const regionsAtOnce = 4;

/** Why a question failed, in one line: below its own words the SDK explains how to debug it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const [said = ""] = error.message.split("\n");
  return error.name === "Error" ? said : `${error.name}: ${said}`;
}

async function answerOf(question: Promise<ByName>): Promise<Answer> {
  try {
    return { values: await question };
  } catch (error) {
    return { failed: reasonOf(error) };
  }
}

/** One question that answers several tables. */
async function answersOf<Table extends string>(
  tables: readonly Table[],
  question: Promise<Readonly<Record<Table, ByName>>>,
): Promise<Record<Table, Answer>> {
  const answers = tables.map(async (table) => {
    return [table, await answerOf(question.then((found) => found[table]))] as const;
  });
  return Object.fromEntries(await Promise.all(answers)) as Record<Table, Answer>;
}

interface RegionAnswers {
  readonly prices: Readonly<Record<PriceTable, Answer>>;
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
  const described = await describeTypes(settings, [...models.keys()]).then(
    (found) => ({ found, failed: undefined }),
    (error: unknown) => ({
      found: [],
      failed: reasonOf(error),
    }),
  );
  const types = described.found.flatMap((info) => instanceTypeOf(info, models) ?? []);
  const offered = described.found.flatMap(({ InstanceType: name }) =>
    name === undefined ? [] : [name as string],
  );
  // EC2 refuses a question that names a type which the region does not have.
  const asked = offered.length === 0 ? names : names.filter((name) => offered.includes(name));
  const byTerm = ["onDemandHourlyUsd", "oneYearHourlyUsd", "threeYearHourlyUsd"] as const;
  const byZone = ["spotHourlyUsd", "spotHighHourlyUsd"] as const;
  const [instances, spot, hosting, training, notebook, quotas] = await Promise.all([
    answersOf(byTerm, instancePrices(settings)),
    answersOf(byZone, spotPrices(settings, asked, now)),
    answerOf(sagemakerPrices(settings, "Hosting")),
    answerOf(sagemakerPrices(settings, "Training")),
    answerOf(notebookPrices(settings)),
    answerOf(vcpuQuotas(settings)),
  ]);
  return {
    prices: {
      ...instances,
      ...spot,
      hostingHourlyUsd: hosting,
      trainingHourlyUsd: training,
      notebookHourlyUsd: notebook,
      vcpuQuotas: quotas,
    },
    types,
    typesFailed: described.failed,
  };
}

/** Puts the questions to AWS, a few regions at once. A question that fails is an answer too. */
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
  const tables = Object.fromEntries(priceTables.map((table) => [table, {}])) as Record<
    PriceTable,
    Record<string, Answer>
  >;
  const types = new Map<string, InstanceType>();
  const failedTypes: string[] = [];
  for (let first = 0; first < regions.length; first += regionsAtOnce) {
    const group = regions.slice(first, first + regionsAtOnce);
    of.tell(`asking ${group.join(", ")} ...`);
    const answered = await Promise.all(
      group.map(async (region) => {
        return { region, ...(await askRegion(clientOf(region), of.catalogue, of.now)) };
      }),
    );
    for (const answers of answered) {
      const { region } = answers;
      for (const table of priceTables) tables[table][region] = answers.prices[table];
      for (const type of answers.types) types.set(type.instanceType, type);
      if (answers.typesFailed !== undefined)
        failedTypes.push(`types ${region}: kept, for ${answers.typesFailed}`);
    }
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

function lines(changes: readonly string[], kept: readonly string[]): readonly string[] {
  const more = changes.length - shownChanges;
  return [
    ...changes.slice(0, shownChanges),
    ...(more > 0 ? [`and ${more} more changes; --json has them all`] : []),
    ...kept,
  ];
}

/** Each reason once, with the first question that it stopped and how many more. */
function reasonsOf(kept: readonly string[]): readonly string[] {
  const byReason = Object.groupBy(kept, (line) => line.split(": kept, for ").at(-1) ?? line);
  return Object.values(byReason).flatMap((same = []) => {
    const [first = ""] = same;
    return same.length === 1 ? [first] : [`${first} (and ${same.length - 1} more like it)`];
  });
}

/**
 * Asks AWS and brings `berth.prices.json` and `berth.images.json` up to date.
 *
 * @throws UserError when nothing answers, or a file there is not what a refresh writes; then it stays as it is
 */
export async function refreshFile(request: RefreshRequest, terminal: Terminal): Promise<Refreshed> {
  const { folder, regions, clientOf, now, source, dryRun } = request;
  const catalogue = loadShippedCatalogue();
  const path = join(folder, pricesFile);
  const before = loadPrices(folder);
  const tell = (text: string): void => {
    terminal.status(text);
  };
  const gathered = await gather(regions, clientOf, { catalogue, now, source, tell });
  const refreshed = refreshPrices(catalogue, before, gathered);
  const kept = [...gathered.failedTypes, ...refreshed.kept];
  const answers = Object.values(gathered.answers).flatMap((byRegion) => Object.values(byRegion));
  if (!answers.some((answer) => "values" in answer)) {
    const problems = reasonsOf(kept);
    throw (
      credentialsProblem(problems.join(" "), "Nothing was written. ") ??
      new UserError("AWS answered none of the questions; nothing was written.", {
        problems,
        hint: "docs/iam-policy.md has the read-only policy that a refresh needs.",
      })
    );
  }
  if (!dryRun) await writeRefreshed(path, refreshed.prices);
  const images = await refreshImages(request);
  const end = dryRun ? "nothing written" : `written to ${path}`;
  terminal.say(...lines(refreshed.changes, kept));
  terminal.say(...images.changes, ...images.kept);
  terminal.say(`${refreshed.changes.length} changes, ${kept.length} kept; ${end}`);
  terminal.result({ file: dryRun ? null : path, regions, ...refreshed, kept, images });
  return { ...refreshed, kept };
}

/** `berth catalogue refresh`: reads types, prices and quotas of the regions from AWS, and what the tags of its images name. */
export async function runRefresh(options: CatalogueOptions, terminal: Terminal): Promise<number> {
  const { env = "dev", dryRun = false } = options;
  const cloud = cloudOf(env);
  const request = {
    folder: repository,
    regions: regionsOf(options, loadShippedCatalogue()),
    clientOf: (region: string) => accountOf(env, region, cloud).client,
    now: await readClock(cloud),
    source: sourceOf(cloud),
    dryRun,
  };
  await refreshFile(request, terminal);
  return exitCode.ok;
}
