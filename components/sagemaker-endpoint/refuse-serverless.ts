import type { Plan } from "../plan.ts";
import { UserError } from "../user-error.ts";

/**
 * What a serverless endpoint has: no GPU, and memory and an image of so many GiB at most
 * (https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html).
 */
const serverlessGiB = { memory: 6, image: 10 } as const;

/**
 * Says why a model is not served without instances, and what costs nothing at rest instead.
 *
 * @throws UserError always: every image that berth knows computes on a GPU
 */
export function refuseServerless({ modelId, engine, demand }: Plan): never {
  const neededGiB = demand.totalMiB / 1024;
  throw new UserError(`${modelId} cannot be served by a serverless endpoint.`, {
    problems: [
      `endpointMode: serverless endpoints have no GPU, and AWS's image of ${engine} computes on one`,
      ...(neededGiB > serverlessGiB.memory
        ? [
            `endpointMode: they have ${serverlessGiB.memory} GiB of memory at most, and the model needs ${neededGiB.toFixed(1)} GiB`,
          ]
        : []),
    ],
    hint: "endpointMode async with minInstances 0 costs nothing while nothing waits; endpointHours stops a real-time endpoint at night.",
  });
}
