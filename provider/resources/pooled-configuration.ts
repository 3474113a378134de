import { randomBytes } from "node:crypto";
import {
  CreateEndpointConfigCommand,
  DeleteEndpointConfigCommand,
  DescribeEndpointConfigCommand,
  SageMakerClient,
  type CreateEndpointConfigCommandInput,
} from "@aws-sdk/client-sagemaker";
import { z } from "zod";
import { apiCase } from "../adapters/api-case.ts";
import type { ResourceType } from "../plugin/resource-type.ts";
import type { Properties } from "../plugin/values.ts";

const inputs = z.object({
  region: z.string().min(1),
  namePrefix: z.string().regex(/^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,54}$/),
  configuration: z.looseObject({
    productionVariants: z.array(z.looseObject({})).length(1),
    tags: z.record(z.string(), z.string()),
  }),
  instanceTypes: z.array(z.string()).min(1).max(5),
  provisionTimeoutSeconds: z.int().min(300).max(3600),
});

function withClient<T>(region: unknown, work: (client: SageMakerClient) => Promise<T>): Promise<T> {
  const client = new SageMakerClient({ region: String(region), maxAttempts: 6 });
  return work(client).finally(() => {
    client.destroy();
  });
}

/** The request, with the variant's types as pools. */
function requestOf(
  values: Properties,
  EndpointConfigName: string,
): CreateEndpointConfigCommandInput {
  const keys = Object.keys(inputs.shape);
  const { configuration, instanceTypes, provisionTimeoutSeconds } = inputs.parse(
    Object.fromEntries(keys.map((key) => [key, values[key]])),
  );
  const { productionVariants, tags, ...rest } = configuration;
  const [variant = {}] = productionVariants;
  const named = Object.fromEntries(
    Object.entries(variant).filter(([key]) => key !== "instanceType"),
  );
  const pooled = {
    ...(apiCase(named) as { VariantName: string }),
    InstancePools: instanceTypes.map((InstanceType, index) => ({
      InstanceType,
      Priority: index + 1,
    })),
    VariantInstanceProvisionTimeoutInSeconds: provisionTimeoutSeconds,
  };
  return {
    ...(apiCase(rest) as object),
    EndpointConfigName,
    ProductionVariants: [pooled],
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
  } as CreateEndpointConfigCommandInput;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && /Could not find/i.test(error.message);
}

/** `berth:index:PooledConfiguration`: an endpoint's configuration with several types to try. */
export const pooledConfiguration: ResourceType = {
  inputs,
  replaceOn: Object.keys(inputs.shape),
  computed: ["name", "arn"],
  create: (values) =>
    withClient(values["region"], async (client) => {
      const name = `${String(values["namePrefix"])}-${randomBytes(4).toString("hex").slice(0, 7)}`;
      const { EndpointConfigArn: arn } = await client.send(
        new CreateEndpointConfigCommand(requestOf(values, name)),
      );
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
  // Every change makes a new one.
  update: (_id, _olds, news) => Promise.resolve(news),
  delete: (EndpointConfigName, state) =>
    withClient(state["region"], async (client) => {
      await client
        .send(new DeleteEndpointConfigCommand({ EndpointConfigName }))
        .catch((error: unknown) => {
          if (!isMissing(error)) throw error;
        });
    }),
};
