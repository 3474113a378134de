import { loadCatalogue } from "../../../components/catalogue/load.ts";
import {
  planEndpoint,
  type EndpointRequest,
} from "../../../components/sagemaker-endpoint/endpoint-plan.ts";
import { loadServingImages } from "../../../components/sagemaker-endpoint/load-serving-images.ts";
import { UserError } from "../../../components/user-error.ts";

/** An endpoint that answers at once, of a model that one GPU holds. */
export const request: EndpointRequest = {
  model: "qwen2.5-7b",
  env: "dev",
  region: "us-east-1",
  spot: true,
  leaseHours: 4,
  endpointMode: "realtime",
  minInstances: 1,
  maxInstances: 1,
};

/** The plan of {@link request}, changed. */
export function plan(change: Partial<EndpointRequest> = {}) {
  return planEndpoint({ ...request, ...change }, loadCatalogue(), loadServingImages());
}

/** Why such a request is refused; nothing where it is planned. */
export function problemsOf(change: Partial<EndpointRequest>): string {
  try {
    plan(change);
  } catch (error) {
    if (error instanceof UserError) return [error.message, ...error.problems].join("\n");
    throw error;
  }
  return "";
}
