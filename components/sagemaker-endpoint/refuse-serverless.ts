import type { Model } from "../catalogue/model.ts";
import type { MemoryDemand } from "../sizing/memory-part.ts";
import { UserError } from "../user-error.ts";
import { serverlessLimits } from "./serverless-limits.ts";

/** How a model is too large. */
interface TooLarge {
  readonly demand: MemoryDemand;
  /** Of the weights, which lie on the container's disk. */
  readonly weightsGB: number;
  /** Models that are not, the largest first. */
  readonly fitting: readonly string[];
}

/** So many of them are named. */
const mostNamed = 6;

/**
 * Says why a model is not served without instances, which would be, and what else costs nothing at rest.
 *
 * @param large how it is too large; without it, it is of a kind that llama.cpp does not serve
 * @throws UserError always
 */
export function refuseServerless({ id }: Pick<Model, "id">, large?: TooLarge): never {
  const { memoriesMiB, diskGB } = serverlessLimits;
  const mostMiB = Math.max(...memoriesMiB);
  const neededMiB = Math.ceil(large?.demand.totalMiB ?? 0);
  const problems =
    large === undefined
      ? ["endpointMode: serverless endpoints have no GPU, and llama.cpp on a CPU serves text alone"]
      : [
          ...(neededMiB > mostMiB
            ? [
                `endpointMode: serverless endpoints have ${mostMiB} MiB of memory at most, and it needs ${neededMiB}`,
              ]
            : []),
          ...(large.weightsGB > diskGB
            ? [
                `endpointMode: they have ${diskGB} GB of disk, and its weights are ${large.weightsGB.toFixed(1)} GB`,
              ]
            : []),
        ];
  const named = large?.fitting.slice(0, mostNamed) ?? [];
  const others =
    named.length === 0 ? "" : `These fit: ${named.join(", ")}, and what is smaller. Or: `;
  throw new UserError(`${id} cannot be served by a serverless endpoint.`, {
    problems,
    hint: `${others}endpointMode async or components with minInstances 0 costs nothing while nobody asks; endpointHours stops a real-time endpoint at night.`,
  });
}
