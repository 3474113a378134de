import { planLines, usd } from "../plan-text.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { updateLine } from "./endpoint-update.ts";

function instances({ endpoint }: EndpointPlan): string {
  const { minInstances, maxInstances } = endpoint;
  return minInstances === maxInstances
    ? String(maxInstances)
    : `${minInstances} to ${maxInstances}`;
}

function priceLine(plan: EndpointPlan): string {
  const [chosen] = plan.ladder;
  const { endpoint } = plan;
  const isFixed = endpoint.minInstances === endpoint.maxInstances && endpoint.pools.length === 1;
  const most = isFixed ? "" : "at most ";
  const dearest = endpoint.pools.toSorted((a, b) => b.hourlyUsd - a.hourlyUsd)[0] ?? chosen;
  const storage =
    endpoint.volumeGiB === undefined ? "" : `, and ${endpoint.volumeGiB} GiB of storage`;
  return (
    `price      ${most}${usd(plan.hourlyUsd)} an hour for ${instances(plan)} of ${dearest.instanceType}${storage} ` +
    `(${chosen.region}; ${chosen.priceSource}, ${chosen.priceAsOf})`
  );
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
  const names = endpoint.alternatives.map(
    ({ instanceType, hourlyUsd }) => `${instanceType} (${usd(hourlyUsd)})`,
  );
  return [
    `otherwise  ${names.join(", ")}: for berth:instanceTypes when capacity lacks${endpoint.copy === undefined ? ", or let SageMaker choose with berth:fallbackTypes" : ""}`,
  ];
}

/** What a copy takes, in place of how an update goes, which SageMaker decides with components. */
function copyLine({ copy, minInstances }: EndpointPlan["endpoint"]): string | undefined {
  if (copy === undefined) return undefined;
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

/** The plan of an endpoint as a person reads it. One entry a line. */
export function endpointPlanLines(plan: EndpointPlan): readonly string[] {
  const { endpoint } = plan;
  const { downloadTimeoutSeconds, startupTimeoutSeconds, container, quotaName, mode } = endpoint;
  return planLines(plan).flatMap((line) => {
    if (!line.startsWith("price ")) return [line];
    return [
      `endpoint   SageMaker, ${mode}, ${instances(plan)} instance${endpoint.maxInstances === 1 ? "" : "s"}`,
      `image      ${container.image}`,
      ...alternativesLine(plan),
      ...poolsLine(plan),
      priceLine(plan),
      ...breakEvenLine(plan),
      `allows     ${downloadTimeoutSeconds} s for the weights and ${startupTimeoutSeconds} s to start`,
      ...hoursLine(plan),
      copyLine(endpoint) ?? updateLine(endpoint.update),
      ...(endpoint.captureDataPercent === 0
        ? []
        : [`captures   ${endpoint.captureDataPercent} % of requests and answers, kept for 7 days`]),
      `quota      "${quotaName}", ${endpoint.maxInstances} at least`,
    ];
  });
}
