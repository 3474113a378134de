import {
  ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
} from "@aws-sdk/client-application-auto-scaling";
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import {
  DescribeEndpointCommand,
  DescribeEndpointConfigCommand,
  SageMakerClient,
  type DescribeEndpointCommandOutput,
  type ProductionVariant,
} from "@aws-sdk/client-sagemaker";
import { loadCatalogue } from "../../../components/catalogue/load.ts";
import { sharedOut } from "../../../components/cost/component-shares.ts";
import type { Usage } from "../../../components/cost/usage.ts";
import { timestamp } from "../../../components/lease/lease.ts";
import { ec2TypeName } from "../../../components/sagemaker-endpoint/hosting-catalogue.ts";
import { serverlessType } from "../../../components/sagemaker-endpoint/serverless-limits.ts";
import { endpointCopies } from "./cost-of-components.ts";
import { measuredHours } from "./hourly-metric.ts";
import { taggedThings } from "../tagged-things.ts";
import type { ClientSettings } from "../account-scope.ts";
import type { TaggedUsage } from "./cost-of-hosts.ts";

/**
 * Instances of a variant. Each running instance reports its load once a minute
 * (https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_MetricsConfig.html), so sixty reports are one instance's hour.
 */
const instancesMetric = {
  namespace: "/aws/sagemaker/Endpoints",
  name: "CPUUtilization",
  statistic: "SampleCount",
  perUnitHour: 60,
} as const;

/** Containers of a serverless variant that answered: the time of all answers together, which is what is paid, microseconds. */
const answersMetric = {
  namespace: "AWS/SageMaker",
  name: "ModelLatency",
  statistic: "Sum",
  perUnitHour: 3_600_000_000,
} as const;

/** The most instances that it may have; undefined where it does not scale, or that cannot be asked. */
async function mostInstances(
  settings: ClientSettings,
  endpointName: string,
  variantName: string,
): Promise<number | undefined> {
  const client = new ApplicationAutoScalingClient(settings);
  try {
    const { ScalableTargets = [] } = await client.send(
      new DescribeScalableTargetsCommand({
        ServiceNamespace: "sagemaker",
        ResourceIds: [`endpoint/${endpointName}/variant/${variantName}`],
      }),
    );
    return ScalableTargets[0]?.MaxCapacity;
  } catch {
    return undefined;
  } finally {
    client.destroy();
  }
}

interface Described {
  readonly endpoint: DescribeEndpointCommandOutput;
  readonly variants: readonly [ProductionVariant, ...ProductionVariant[]];
}

async function describe(client: SageMakerClient, name: string): Promise<Described | undefined> {
  let endpoint: DescribeEndpointCommandOutput;
  try {
    endpoint = await client.send(new DescribeEndpointCommand({ EndpointName: name }));
  } catch (error) {
    // The tag index names an endpoint for a while after it is gone.
    if (error instanceof Error && /could not find/i.test(error.message)) return undefined;
    throw error;
  }
  const config = await client.send(
    new DescribeEndpointConfigCommand({ EndpointConfigName: endpoint.EndpointConfigName }),
  );
  const { ProductionVariants = [], ShadowProductionVariants = [] } = config;
  const [first, ...others] = [...ProductionVariants, ...ShadowProductionVariants];
  return first === undefined ? undefined : { endpoint, variants: [first, ...others] };
}

interface Clients {
  readonly settings: ClientSettings;
  readonly sagemaker: SageMakerClient;
  readonly cloudwatch: CloudWatchClient;
}

/** What is known of a variant before it is priced. */
interface VariantUsage {
  readonly usage: Omit<Usage, "prices">;
  /** The most instances that it may have. */
  readonly most: number;
}

/** Instances of a variant: those that it has, and those that it is to have. */
function countsOf({ endpoint }: Described, variantName: string) {
  const { ProductionVariants = [], ShadowProductionVariants = [] } = endpoint;
  const summary = [...ProductionVariants, ...ShadowProductionVariants].find(
    (each) => each.VariantName === variantName,
  );
  const { CurrentInstanceCount: running = 0, DesiredInstanceCount: wanted = 0 } = summary ?? {};
  return { running, wanted };
}

async function variantUsage(
  { settings, cloudwatch }: Clients,
  described: Described,
  variant: ProductionVariant,
  now: Date,
): Promise<VariantUsage> {
  const { endpoint, variants } = described;
  const { EndpointName: endpointName = "", CreationTime: started = now } = endpoint;
  const { VariantName: variantName = "", InstanceType = "", ServerlessConfig } = variant;
  const span = { from: timestamp(started) };
  const named = {
    kind: "endpoint" as const,
    resourceId: variants.length === 1 ? endpointName : `${endpointName}/${variantName}`,
    span,
    variants: [variantName],
  };
  const dimensions = { EndpointName: endpointName, VariantName: variantName };
  const time = { from: started, now };
  if (ServerlessConfig !== undefined) {
    const measured = await measuredHours(cloudwatch, { ...answersMetric, dimensions }, time);
    const usage = { ...named, type: serverlessType, units: 0, measured };
    return { usage, most: ServerlessConfig.MaxConcurrency ?? 1 };
  }
  const { running, wanted } = countsOf(described, variantName);
  const scaled =
    variant.ManagedInstanceScaling?.MaxInstanceCount ??
    (await mostInstances(settings, endpointName, variantName));
  const measured = await measuredHours(cloudwatch, { ...instancesMetric, dimensions }, time);
  // What scales and was never heard of had no instance; what does not scale has had what it has all the time.
  const silent = scaled === undefined || running > 0 ? undefined : [];
  const usage = {
    ...named,
    type: InstanceType,
    units: running,
    measured: measured.length > 0 ? measured : silent,
  };
  return { usage, most: Math.max(1, scaled ?? wanted) };
}

async function endpointUsage(
  clients: Clients,
  name: string,
  { recordedUsd, now }: { readonly recordedUsd: number; readonly now: Date },
): Promise<readonly Usage[]> {
  const described = await describe(clients.sagemaker, name);
  if (described === undefined) return [];
  const usages = await Promise.all(
    described.variants.map((variant) => variantUsage(clients, described, variant, now)),
  );
  // The tag's price is that of all instances that all variants may have; the tables only divide it among their types.
  const rows = usages.length === 1 ? [] : loadCatalogue().sagemakerTypes;
  const { region } = clients.settings;
  const listed = ({ usage }: VariantUsage) =>
    rows.find(({ instanceType }) => instanceType === usage.type)?.prices?.[region]
      ?.hostingHourlyUsd ?? 1;
  const sum = usages.reduce((total, each) => total + listed(each) * each.most, 0);
  const priced = usages.map((each): Usage => {
    const { from } = each.usage.span;
    return { ...each.usage, prices: [{ from, hourlyUsd: (recordedUsd * listed(each)) / sum }] };
  });
  const [first] = priced;
  const isShared = described.variants[0].ModelName === undefined;
  if (first === undefined || !isShared) return priced;
  const from = new Date(first.span.from);
  const asked = { ...clients, endpointName: name, gpuCount: gpusOf(first.type), from, now };
  return sharedOut(first, await endpointCopies(asked));
}

/** GPUs of a type of hosting; one where the catalogue does not know it. */
function gpusOf(hostingType: string): number {
  const name = ec2TypeName(hostingType);
  const types = loadCatalogue().instanceTypes;
  return types.find(({ instanceType }) => instanceType === name)?.gpuCount ?? 1;
}

/** SageMaker endpoints of all runs in a region, with the instances that they had hour by hour. */
export async function endpointUsages(
  given: ClientSettings,
  region: string,
  now: Date,
): Promise<readonly TaggedUsage[]> {
  const settings = { ...given, region };
  const sagemaker = new SageMakerClient(settings);
  const cloudwatch = new CloudWatchClient(settings);
  try {
    const found: TaggedUsage[] = [];
    for (const { arn, tags } of await taggedThings(settings, "sagemaker:endpoint")) {
      const name = arn.slice(arn.lastIndexOf("/") + 1);
      const recordedUsd = Number(tags["berth:hourly-usd"] ?? 0);
      const clients = { settings, sagemaker, cloudwatch };
      const usages = await endpointUsage(clients, name, { recordedUsd, now });
      found.push(...usages.map((usage) => ({ tags, usage })));
    }
    return found;
  } finally {
    sagemaker.destroy();
    cloudwatch.destroy();
  }
}
