import { imageLine } from "../container-images/image-digests.ts";
import { planLines, usd } from "../plan-text.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { updateLine } from "./endpoint-update.ts";
import { firstVariantName } from "./further-models.ts";
import { serverlessPlanLines } from "./serverless-text.ts";
import { hourlyUsdOn, instancesByType, quotaNameOf } from "./instance-pools.ts";

function instances({ endpoint: { instances: counts } }: EndpointPlan): string {
  return range(counts.least, counts.most);
}

function range(least: number, most: number): string {
  return least === most ? String(most) : `${least} to ${most}`;
}

/** Each of several variants with its share of the requests, or each of several models with its copies. */
function furtherLines(plan: EndpointPlan): string[] {
  const { endpoint, ladder, modelId } = plan;
  if (endpoint.further.length === 0) return [];
  const ownUsd = hourlyUsdOn({ ...endpoint, further: [], notebook: undefined }, "");
  const own = {
    ...{ ...endpoint, name: firstVariantName, modelId, hourlyUsd: ownUsd },
    ...{ instanceType: ladder[0].instanceType, contextTokens: plan.contextTokens },
    isShadow: false,
  };
  const gpuHours = [own, ...endpoint.further].map(
    ({ copy, maxInstances }) => (copy?.accelerators ?? 0) * maxInstances,
  );
  const allGpus = gpuHours.reduce((sum, each) => sum + each, 0);
  return [own, ...endpoint.further].map((each, index) => {
    const { copy, minInstances, maxInstances, instanceType, share, name } = each;
    const count = range(minInstances, maxInstances);
    if (each.isShadow) {
      return `shadow     ${name}: copies of ${share} % of the requests to ${each.modelId} (${each.contextTokens} tokens), on ${count} of ${instanceType}: ${usd(each.hourlyUsd)} an hour; its answers go nowhere`;
    }
    if (copy === undefined) {
      return `variant    ${name}: ${share} % of the requests to ${each.modelId} (${each.contextTokens} tokens), on ${count} of ${instanceType}: ${usd(each.hourlyUsd)} an hour`;
    }
    const partUsd = (ownUsd * (gpuHours[index] ?? 0)) / allGpus;
    return `component  ${each.modelId}: ${count} copies of ${copy.accelerators} GPU${copy.accelerators === 1 ? "" : "s"} and ${copy.memoryMiB} MiB, ${usd(partUsd)} of the hour`;
  });
}

function priceLine(plan: EndpointPlan): string {
  const [chosen] = plan.ladder;
  const { endpoint } = plan;
  const counts = [endpoint, ...endpoint.further];
  const isFixed =
    counts.every((each) => each.minInstances === each.maxInstances) && endpoint.pools.length === 1;
  const most = isFixed ? "" : "at most ";
  const dearest = endpoint.pools.toSorted((a, b) => b.hourlyUsd - a.hourlyUsd)[0] ?? chosen;
  const storage =
    endpoint.volumeGiB === undefined ? "" : `, and ${endpoint.volumeGiB} GiB of storage`;
  return (
    `price      ${most}${usd(plan.hourlyUsd)} an hour for ${instances(plan)} of ${dearest.instanceType}${variantCount(endpoint)}${endpoint.notebook === undefined ? "" : " and the notebook"}${storage} ` +
    `(${chosen.region}; ${chosen.priceSource}, ${chosen.priceAsOf})`
  );
}

/** What the price has besides the first variant's instances. */
function variantCount({ further }: EndpointPlan["endpoint"]): string {
  const shadows = further.filter(({ isShadow }) => isShadow).length;
  const count = further.filter(({ copy }) => copy === undefined).length - shadows;
  const variants = count === 0 ? "" : ` and ${count} further variant${count === 1 ? "" : "s"}`;
  return `${variants}${shadows === 0 ? "" : " and a shadow"}`;
}

/** What the same silicon costs on EC2, and how much of the time an endpoint has to be off to cost less. */
function breakEvenLine({ ladder, endpoint }: EndpointPlan): string[] {
  const [{ hourlyUsd }] = ladder;
  const { ec2HourlyUsd, minInstances } = endpoint;
  if (ec2HourlyUsd === undefined) return [];
  const more = Math.round((hourlyUsd / ec2HourlyUsd - 1) * 100);
  const share = Math.round((ec2HourlyUsd / hourlyUsd) * 100);
  const even =
    minInstances === 0 ? `; it costs less when it runs under ${share} % of the hours` : "";
  return [`against    ${usd(ec2HourlyUsd)} an hour for the same GPU on EC2: ${more} % more${even}`];
}

function poolsLine({ endpoint: { pools } }: EndpointPlan): string[] {
  if (pools.length === 1) return [];
  const names = pools.map(({ instanceType, hourlyUsd }) => `${instanceType} (${usd(hourlyUsd)})`);
  return [`types      the first with capacity of ${names.join(", ")}`];
}

function alternativesLine({ endpoint }: EndpointPlan): string[] {
  if (endpoint.alternatives.length === 0 || endpoint.pools.length > 1) return [];
  const mayChoose = endpoint.copy === undefined && endpoint.further.length === 0;
  const names = endpoint.alternatives.map(
    ({ instanceType, hourlyUsd }) => `${instanceType} (${usd(hourlyUsd)})`,
  );
  return [
    `otherwise  ${names.join(", ")}: for berth:instanceTypes when capacity lacks${mayChoose ? ", or let SageMaker choose with berth:fallbackTypes" : ""}`,
  ];
}

/** What a copy takes, in place of how an update goes, which SageMaker decides with components. */
function copyLine({ copy, minInstances, further }: EndpointPlan["endpoint"]): string | undefined {
  if (copy === undefined) return undefined;
  if (further.length > 0) {
    return "copies     one of each to begin with; where 0 may stay, the last one goes when nobody asks, and a request wakes it";
  }
  const { accelerators } = copy;
  const rest =
    minInstances === 0 ? "; the last one goes when nobody asks, and a request wakes it" : "";
  return `copies     ${accelerators} GPU${accelerators === 1 ? "" : "s"} each, ${Math.max(1, minInstances)} to begin with${rest}`;
}

/** Hours that AWS counts for a month, and hours of a week. */
const [monthHours, weekHours] = [730, 168];

function hoursLine({ endpoint: { hours }, hourlyUsd }: EndpointPlan): string[] {
  if (hours === undefined) return [];
  const { text, hoursAWeek } = hours;
  const monthlyUsd = (hourlyUsd * monthHours * hoursAWeek) / weekHours;
  return [
    `hours      ${text}: ${hoursAWeek} of ${weekHours} h a week, ${usd(monthlyUsd)} a month; it is deleted outside of them, and started again`,
  ];
}

function notebookLine({ notebook }: EndpointPlan["endpoint"]): string[] {
  if (notebook === undefined) return [];
  const { instanceType, hourlyUsd, idleMinutes, volumeGiB, priceFrom } = notebook;
  return [
    `notebook   JupyterLab on ${instanceType} with ${volumeGiB} GiB, ${usd(hourlyUsd)} an hour while it runs (${priceFrom}); it stops after ${idleMinutes} minutes without use`,
  ];
}

/** The plan of an endpoint as a person reads it. One entry a line. */
export function endpointPlanLines(plan: EndpointPlan): readonly string[] {
  const { endpoint } = plan;
  const { downloadTimeoutSeconds, startupTimeoutSeconds, container, mode } = endpoint;
  const { neededMiBPerSecond: least } = endpoint;
  const needed =
    least === undefined
      ? ""
      : `, SageMaker's longest, in which they have to come at ${least} MiB/s or more,`;
  if (endpoint.serverless !== undefined) return serverlessPlanLines(plan, endpoint.serverless);
  return planLines(plan).flatMap((line) => {
    if (!line.startsWith("price ")) return [line];
    return [
      `endpoint   SageMaker, ${mode}, ${instances(plan)} instance${endpoint.instances.most === 1 ? "" : "s"}`,
      imageLine(container),
      ...furtherLines(plan),
      ...alternativesLine(plan),
      ...poolsLine(plan),
      priceLine(plan),
      ...breakEvenLine(plan),
      `allows     ${downloadTimeoutSeconds} s for the weights${needed} and ${startupTimeoutSeconds} s to start`,
      ...hoursLine(plan),
      ...notebookLine(endpoint),
      copyLine(endpoint) ?? updateLine(endpoint.update),
      ...(endpoint.captureDataPercent === 0
        ? []
        : [`captures   ${endpoint.captureDataPercent} % of requests and answers, kept for 7 days`]),
      ...[...instancesByType(plan)].map(
        ([type, count]) => `quota      "${quotaNameOf(type)}", ${count} at least`,
      ),
    ];
  });
}
