import { imageLine } from "../container-images/image-digests.ts";
import { leaseLine, memoryLine, modelLine, usd } from "../plan-text.ts";
import type { EndpointPlan } from "./endpoint-plan.ts";
import { updateLine } from "./endpoint-update.ts";
import { serverlessLimits } from "./serverless-limits.ts";
import type { ServerlessShape } from "./serverless-plan.ts";

/** Seconds of an answer that stand for many. */
const exampleSeconds = 10;
const thousand = 1000;

function sizeLine({ memoryMiB, concurrency, provisionedConcurrency }: ServerlessShape): string {
  const warm = provisionedConcurrency === 0 ? "" : `; ${provisionedConcurrency} kept warm`;
  const many = concurrency === 1 ? "1 container" : `up to ${concurrency} containers`;
  return `endpoint   SageMaker, serverless: ${many} of ${memoryMiB} MiB on the CPU, with one request each${warm}`;
}

/** What answers cost; a second is paid for each container that answers, and nothing at rest. */
function requestsLine({ usdPerSecond }: ServerlessShape): string {
  const { answerSeconds } = serverlessLimits;
  const [typical, most] = [exampleSeconds, answerSeconds].map((seconds) =>
    usd(usdPerSecond * seconds * thousand),
  );
  return `requests   1,000 of ${exampleSeconds} s each cost ${typical ?? ""}, of ${answerSeconds} s ${most ?? ""}, which is the longest that one may take`;
}

function priceLine({ ladder: [chosen], hourlyUsd, endpoint }: EndpointPlan): string {
  const source = [chosen.priceSource, chosen.priceAsOf].filter((part) => part !== "").join(", ");
  const { provisionedConcurrency = 0 } = endpoint.serverless ?? {};
  const rest =
    provisionedConcurrency === 0
      ? "nothing while nobody asks"
      : "what is kept warm is in it at the price of answers, since its own is not known to berth";
  return `price      at most ${usd(hourlyUsd)} an hour, when all of it answers all the time; ${rest} (${chosen.region}; ${source})`;
}

/** The plan of an endpoint without instances as a person reads it. One entry a line. */
export function serverlessPlanLines(plan: EndpointPlan, shape: ServerlessShape): readonly string[] {
  const { endpoint } = plan;
  const { startSeconds, answerSeconds, payloadMB } = serverlessLimits;
  return [
    modelLine(plan),
    memoryLine(plan.demand, plan.precision),
    sizeLine(shape),
    imageLine(endpoint.container),
    priceLine(plan),
    requestsLine(shape),
    `allows     ${startSeconds} s for the weights and a container to start, which a first request waits for; ${answerSeconds} s and ${payloadMB} MB for an answer`,
    leaseLine(plan),
    updateLine(endpoint.update),
    `quota      "${endpoint.quotaName}", ${shape.concurrency} at least`,
    `engine     ${plan.engine}; catalogue of ${plan.catalogueVersion}`,
  ];
}
