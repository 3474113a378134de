import { randomBytes } from "node:crypto";
import {
  CreateEndpointConfigCommand,
  DeleteEndpointConfigCommand,
  DescribeEndpointConfigCommand,
  SageMakerClient,
  type CreateEndpointConfigCommandInput,
  type InstancePool,
  type ProductionVariant,
  type ProductionVariantInstanceType,
} from "@aws-sdk/client-sagemaker";
import { z } from "zod";
import { UserError } from "../../components/user-error.ts";
import { apiCase } from "../adapters/api-case.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

const inputs = z.object({
  region: z.string().min(1),
  namePrefix: z.string().regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,54}$/),
  configuration: z.looseObject({
    productionVariants: z.array(z.looseObject({})).min(1).max(10),
    tags: z.record(z.string(), z.string()),
  }),
  instanceTypes: z.array(z.string()).min(1).max(5),
  initialWeights: z.array(z.number().min(0)).optional(),
  provisionTimeoutSeconds: z.int().min(300).max(3600),
});

function withClient<T>(region: unknown, work: (client: SageMakerClient) => Promise<T>): Promise<T> {
  const client = new SageMakerClient({ region: String(region), maxAttempts: 6 });
  return work(client).finally(() => {
    client.destroy();
  });
}

/** The request, with the weights of its variants, and the first one's types as pools where there are several. */
function requestOf(
  values: Properties,
  EndpointConfigName: string,
): CreateEndpointConfigCommandInput {
  const asked = inputs.parse(values);
  const { productionVariants, tags, ...rest } = asked.configuration;
  const { instanceTypes, initialWeights, provisionTimeoutSeconds } = asked;
  const weighed = productionVariants.map((variant, index) => {
    const InitialVariantWeight = initialWeights?.[index];
    const named = apiCase(variant) as ProductionVariant;
    return InitialVariantWeight === undefined ? named : { ...named, InitialVariantWeight };
  });
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  const ProductionVariants =
    instanceTypes.length === 1
      ? weighed
      : weighed.map((variant) => ({
          ...variant,
          InstanceType: undefined,
          InstancePools: poolsOf(instanceTypes),
          VariantInstanceProvisionTimeoutInSeconds: provisionTimeoutSeconds,
        }));
  return { ...(apiCase(rest) as object), EndpointConfigName, Tags, ProductionVariants };
}

function poolsOf(instanceTypes: readonly string[]): InstancePool[] {
  return instanceTypes.map((type, index) => ({
    InstanceType: type as ProductionVariantInstanceType,
    Priority: index + 1,
  }));
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && /Could not find/i.test(error.message);
}

/**
 * What SageMaker refused of a configuration, with what to do where that is known.
 *
 * @throws UserError or what it was
 */
function explained(error: unknown): never {
  if (error instanceof Error && error.message.includes("MinInstanceCount")) {
    throw new UserError(`An endpoint of no instances is not to be had here: ${error.message}`, {
      hint: "Set berth:minInstances to 1, berth:endpointMode to async, or aws:region to another.",
      cause: error,
    });
  }
  throw error;
}

/** `berth:index:HostedConfiguration`: an endpoint's configuration that AWS's provider cannot make. */
export const hostedConfiguration: ResourceType = {
  inputs,
  // What has begun with other weights keeps its configuration: the endpoint moves the traffic.
  replaceOn: Object.keys(inputs.shape).filter((key) => key !== "initialWeights"),
  computed: ["name", "arn"],
  create: (values) =>
    withClient(values["region"], async (client) => {
      const name = `${String(values["namePrefix"])}-${randomBytes(4).toString("hex").slice(0, 7)}`;
      const { EndpointConfigArn: arn } = await client
        .send(new CreateEndpointConfigCommand(requestOf(values, name)))
        .catch(explained);
      return { id: name, outputs: { ...values, name, arn } };
    }),
  read: (EndpointConfigName, state) =>
    withClient(state["region"], async (client) => {
      try {
        await client.send(new DescribeEndpointConfigCommand({ EndpointConfigName }));
        return state;
      } catch (error) {
        if (isMissing(error)) return undefined;
        throw error;
      }
    }),
  // Only the weights change without a new one.
  update: (_id, { name, arn }, news) => Promise.resolve({ ...news, name, arn }),
  delete: (EndpointConfigName, state) =>
    withClient(state["region"], async (client) => {
      await client
        .send(new DeleteEndpointConfigCommand({ EndpointConfigName }))
        .catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        });
    }),
};
