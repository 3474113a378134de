/**
 * What SageMaker allows of a serverless endpoint
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html, and .../serverless-endpoints-invoke.html for the
 * times and the payload).
 */
export const serverlessLimits = {
  /** Memory of one container, MiB; its CPUs come in proportion. */
  memoriesMiB: [1024, 2048, 3072, 4096, 5120, 6144],
  /** Disk of one container, whatever its memory, GB. */
  diskGB: 5,
  imageGB: 10,
  /** Requests at once of one endpoint, each in a container of its own. */
  mostConcurrency: 200,
  /** For the model to be fetched, and the container to be well. */
  startSeconds: 180,
  /** For an answer. */
  answerSeconds: 60,
  /** Of a request, and of an answer. */
  payloadMB: 4,
} as const;

/** What stands where the others have an instance type. */
export const serverlessType = "serverless";

/** By which AWS counts what the serverless endpoints of a region answer at once; 10 in new accounts. */
export const serverlessQuotaName =
  "Maximum total concurrency that can be allocated across all serverless endpoints";

/**
 * Price of a second of an answer for each GiB of memory, USD, by region: INFERENCE_COST of
 * github.com/aws-samples/sagemaker-serverless-inference-benchmarking, sagemaker_serverless_benchmarking/cost_constants.py, whose
 * instance prices are those of us-east-1. A GB that goes in or out costs $0.016 there, which a text does not come near.
 */
const usdPerGiBSecond: Readonly<Record<string, number>> = { "us-east-1": 0.00002 };

/** When that was read. */
export const serverlessPriceAsOf = "2026-11-26";

/** The price of a second for each GiB of memory, USD; undefined where berth knows none. */
export function serverlessPrice(region: string): number | undefined {
  return usdPerGiBSecond[region];
}
