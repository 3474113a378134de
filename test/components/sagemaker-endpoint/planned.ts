import { loadCatalogue } from "../../../components/catalogue/load.ts";
import {
  planEndpoint,
  type EndpointRequest,
} from "../../../components/sagemaker-endpoint/endpoint-plan.ts";
import { loadServingImages } from "../../../components/sagemaker-endpoint/load-serving-images.ts";
import type { ServingImages } from "../../../components/sagemaker-endpoint/serving-container.ts";
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

/** As they ship, whatever a refresh has read here. */
export const shipped: ServingImages = { ...loadServingImages(), digests: undefined };

/** The plan of {@link request}, changed. */
export function plan(change: Partial<EndpointRequest> = {}, images = shipped) {
  return planEndpoint({ ...request, ...change }, loadCatalogue(), images);
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
