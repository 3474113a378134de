import {
  InvokeEndpointWithResponseStreamCommand,
  SageMakerRuntimeClient,
} from "@aws-sdk/client-sagemaker-runtime";
import type { EndpointModel } from "../adapters/endpoint/endpoint-model.ts";
import { loadBody } from "./http-target.ts";
import type { LoadTarget } from "./load-target.ts";
import { failureOfStatus, RequestFailure } from "./request-failure.ts";

/** The SDK retries of itself, which would hide failures and add their time to the latency. */
const attempts = 1;

function explained(error: unknown): RequestFailure {
  if (error instanceof RequestFailure) return error;
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  if (name.includes("Throttl")) return new RequestFailure("throttled", `${name}: ${message}`);
  return status === undefined
    ? new RequestFailure("unreachable", `${name}: ${message}`)
    : failureOfStatus(status, `${name}: ${message}`);
}

/** A real-time SageMaker endpoint, through its runtime API. */
export function openEndpointTarget(
  { endpointName, form, client, componentName }: EndpointModel,
  asked: { readonly model: string | undefined; readonly ignoreEos: boolean },
): LoadTarget {
  const runtime = new SageMakerRuntimeClient({ ...client, maxAttempts: attempts });
  return {
    send: async (request, heard, signal) => {
      const command = new InvokeEndpointWithResponseStreamCommand({
        EndpointName: endpointName,
        InferenceComponentName: componentName,
        ContentType: "application/json",
        Body: loadBody(request, { ...asked, form }),
      });
      try {
        const { Body } = await runtime.send(command, { abortSignal: signal });
        for await (const { PayloadPart, ModelStreamError, InternalStreamFailure } of Body ?? []) {
          const failure = ModelStreamError ?? InternalStreamFailure;
          if (failure !== undefined) throw new RequestFailure("server-error", failure.message);
          if (PayloadPart?.Bytes !== undefined) heard(PayloadPart.Bytes);
        }
      } catch (error) {
        throw explained(error);
      }
    },
    close: () => {
      runtime.destroy();
    },
  };
}
