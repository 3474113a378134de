import type { Faults } from "../faults.ts";
import { ApiError, type ApiRequest } from "../proxy/api-request.ts";
import { endpointQuota, serverlessQuota } from "./endpoint-quotas.ts";
import type { HostedVariant } from "./hosted-endpoint.ts";

function refuse(message: string): never {
  throw new ApiError("ValidationException", message);
}

/** What a configuration without instances does not have: serverless-endpoints.html of SageMaker's guide, feature exclusions. */
export function checkServerlessConfig(call: ApiRequest): void {
  const variants = (call.parameters["ProductionVariants"] ?? []) as readonly HostedVariant[];
  const serverless = variants.find((each) => each.ServerlessConfig !== undefined);
  if (serverless?.ServerlessConfig === undefined) return;
  const { MaxConcurrency, ProvisionedConcurrency = 0 } = serverless.ServerlessConfig;
  if (variants.length > 1) refuse("A serverless endpoint has one production variant.");
  if (serverless.InstanceType !== undefined) {
    refuse("InstanceType and ServerlessConfig cannot both be specified.");
  }
  if (call.parameters["DataCaptureConfig"] !== undefined) {
    refuse("DataCaptureConfig is not supported for serverless endpoints.");
  }
  if (MaxConcurrency < 1 || MaxConcurrency > 200 || ProvisionedConcurrency > MaxConcurrency) {
    refuse(
      `MaxConcurrency ${MaxConcurrency} and ProvisionedConcurrency ${ProvisionedConcurrency} are not between 1 and 200, the second at most as much as the first.`,
    );
  }
}

/** One shadow beside one production variant, and neither without instances: shadow-tests-create.html of SageMaker's guide. */
export function checkShadows(call: ApiRequest): void {
  const of = (member: string) => (call.parameters[member] ?? []) as readonly HostedVariant[];
  const [shadows, variants] = [of("ShadowProductionVariants"), of("ProductionVariants")];
  if (shadows.length === 0) return;
  if (shadows.length > 1 || variants.length > 1) {
    refuse("An endpoint has one shadow variant at most, and one production variant beside it.");
  }
  if (variants.some(({ ServerlessConfig }) => ServerlessConfig !== undefined)) {
    refuse("Shadow variants are not supported for serverless endpoints.");
  }
}

/** Refuses more requests at once than the account may have. */
export function checkServerlessQuota(faults: Faults, { ServerlessConfig }: HostedVariant): void {
  if (ServerlessConfig === undefined) return;
  const value = endpointQuota(faults, "serverless") === 0 ? 0 : serverlessQuota.value;
  if (ServerlessConfig.MaxConcurrency <= value) return;
  throw new ApiError(
    "ResourceLimitExceeded",
    `The account-level service limit '${serverlessQuota.name}' is ${value}, with current utilization of 0 and a request delta of ${ServerlessConfig.MaxConcurrency}.`,
  );
}

/** An endpoint with instances does not become one without; the other way round it does. */
export function checkConversion(
  before: readonly HostedVariant[],
  after: readonly HostedVariant[],
): void {
  const has = (variants: readonly HostedVariant[]) =>
    variants.some(({ ServerlessConfig }) => ServerlessConfig !== undefined);
  if (has(after) && !has(before)) {
    refuse("Updating an instance-based endpoint to a serverless endpoint is not supported.");
  }
}
