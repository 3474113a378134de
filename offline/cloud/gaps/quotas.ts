import type { Faults } from "../faults.ts";
import { ApiError, type ApiRequest } from "../proxy/api-request.ts";
import { endpointQuotas } from "../sagemaker/endpoint-quotas.ts";
import { trainingQuotas } from "../sagemaker/training-checks.ts";

interface Quota {
  readonly code: string;
  readonly name: string;
  readonly value: number;
}

/** EC2's vCPU quotas for accelerated types, with values of an account that has been granted some. */
const ec2Quotas: readonly Quota[] = [
  {
    code: "L-1216C47A",
    name: "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances",
    value: 256,
  },
  {
    code: "L-34B43A08",
    name: "All Standard (A, C, D, H, I, M, R, T, Z) Spot Instance Requests",
    value: 256,
  },
  { code: "L-DB2E81BA", name: "Running On-Demand G and VT instances", value: 768 },
  { code: "L-3819A6DF", name: "All G and VT Spot Instance Requests", value: 768 },
  { code: "L-417A185B", name: "Running On-Demand P instances", value: 768 },
  { code: "L-7212CCBC", name: "All P4, P3 and P2 Spot Instance Requests", value: 768 },
];

const serviceNames: Readonly<Record<string, string>> = {
  ec2: "Amazon Elastic Compute Cloud (Amazon EC2)",
  sagemaker: "Amazon SageMaker",
};

function shape(region: string, quota: Quota, service: string): object {
  return {
    ServiceCode: service,
    ServiceName: serviceNames[service],
    QuotaArn: `arn:aws:servicequotas:${region}:123456789012:${service}/${quota.code}`,
    QuotaCode: quota.code,
    QuotaName: quota.name,
    Value: quota.value,
    Unit: "None",
    Adjustable: true,
    GlobalQuota: false,
  };
}

function quotasOf(service: unknown, faults: Faults): readonly Quota[] | undefined {
  if (service === "ec2") return ec2Quotas;
  if (service !== "sagemaker") return undefined;
  return [...endpointQuotas(faults), ...trainingQuotas(faults)];
}

/**
 * GetServiceQuota, GetAWSDefaultServiceQuota and ListServiceQuotas for EC2, and for endpoints and training jobs of SageMaker; none for what moto
 * knows.
 */
export function serveQuotas(call: ApiRequest, faults: Faults): object | undefined {
  if (call.service !== "servicequotas") return undefined;
  const service = call.parameters["ServiceCode"];
  const quotas = quotasOf(service, faults);
  if (quotas === undefined) return undefined;
  const serviceCode = String(service);
  switch (call.operation) {
    case "ListServiceQuotas":
    case "ListAWSDefaultServiceQuotas":
      return { Quotas: quotas.map((quota) => shape(call.region, quota, serviceCode)) };
    case "GetServiceQuota":
    case "GetAWSDefaultServiceQuota": {
      const found = quotas.find((quota) => quota.code === call.parameters["QuotaCode"]);
      if (found === undefined) {
        throw new ApiError(
          "NoSuchResourceException",
          "The request failed because the specified service quota does not exist.",
        );
      }
      return { Quota: shape(call.region, found, serviceCode) };
    }
    default:
      return undefined;
  }
}
