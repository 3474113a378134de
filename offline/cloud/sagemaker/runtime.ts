import { ApiError, type ApiReply, type ApiRequest } from "../proxy/api-request.ts";
import { payloadPart } from "./event-stream.ts";
import type { Endpoints } from "./endpoints.ts";
import type { ServingProcess } from "./serving-process.ts";
import type { VariantContainer } from "./endpoint-containers.ts";

/** The largest request of a real-time endpoint: docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpoint.html */
const mostBytes = 25 * 1024 * 1024;

/** The endpoint that a call of the runtime API is for. */
export function endpointOf({ path }: Pick<ApiRequest, "path">): string {
  return decodeURIComponent(/^\/endpoints\/([^/]+)\//.exec(path)?.[1] ?? "");
}

/** The container that a request is for: of the component or variant that it names, or whichever the weights give. */
function required(
  endpoints: Endpoints,
  call: ApiRequest,
  copy: ServingProcess | undefined,
): Pick<VariantContainer, "variant" | "serving"> {
  if (call.body.length > mostBytes) {
    throw new ApiError("ValidationError", `The request is larger than ${mostBytes} bytes.`);
  }
  if (copy !== undefined) return { variant: "AllTraffic", serving: copy };
  const [name, target] = [endpointOf(call), call.headers["x-amzn-sagemaker-target-variant"]];
  const found = endpoints.serving(call.region, name, target);
  if (found !== undefined) return found;
  if (target !== undefined && endpoints.serves(call.region, name)) {
    throw new ApiError("ValidationError", `Variant ${target} not found for Request.`);
  }
  throw new ApiError(
    "ValidationError",
    `Endpoint ${endpointOf(call)} of account 123456789012 not found.`,
  );
}

/** What a container refused, as the runtime API says it. */
function modelError(call: ApiRequest, status: number, text: string): ApiReply {
  const Message = `Received ${status < 500 ? "client" : "server"} error (${status}) from primary with message "${text}". See https://console.aws.amazon.com/cloudwatch/home?region=${call.region}#logEventViewer:group=/aws/sagemaker/Endpoints/${endpointOf(call)} in account 123456789012 for more information.`;
  return {
    status: 424,
    headers: { "content-type": "application/json", "x-amzn-errortype": "ModelError" },
    body: JSON.stringify({ Message, OriginalMessage: text, OriginalStatusCode: status }),
  };
}

async function* parts(answer: Response): AsyncGenerator<Buffer> {
  if (answer.body === null) return;
  for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
    yield payloadPart(Buffer.from(piece));
  }
}

/** Sends a copy to the endpoint's shadow, where one is due; nobody waits for its answer, which is captured at most. */
async function copyToShadow(
  endpoints: Endpoints,
  { region, path, body }: ApiRequest,
  contentType: string,
): Promise<void> {
  const name = endpointOf({ path });
  const shadow = endpoints.shadow(region, name);
  if (shadow === undefined) return;
  const { variant, serving } = shadow;
  const answer = await serving.invoke(body, { "content-type": contentType }).catch(() => undefined);
  endpoints.answered(region, name, { variant, status: answer?.status ?? 500 });
  if (answer?.ok !== true) return;
  const said = Buffer.from(await answer.arrayBuffer());
  await endpoints.capture(region, name, { request: body, answer: said, contentType, variant });
}

/**
 * InvokeEndpoint and InvokeEndpointWithResponseStream, answered by the endpoint's container.
 *
 * @param copy the container of the inference component that the request names, in place of the endpoint's own
 */
export async function invokeEndpoint(
  endpoints: Endpoints,
  call: ApiRequest,
  copy?: ServingProcess,
): Promise<ApiReply> {
  const name = endpointOf(call);
  if (endpoints.asynchronous(call.region, name) !== undefined) {
    throw new ApiError(
      "ValidationError",
      `Endpoint ${name} is asynchronous; it takes InvokeEndpointAsync only.`,
    );
  }
  const { variant, serving } = required(endpoints, call, copy);
  const contentType = call.headers["content-type"] ?? "application/json";
  if (copy === undefined) void copyToShadow(endpoints, call, contentType);
  const answer = await serving
    .invoke(call.body, { "content-type": contentType })
    .catch((error: unknown) => {
      if (error instanceof ApiError) throw error;
      throw new ApiError(
        "ServiceUnavailable",
        `The container did not answer: ${String(error)}`,
        503,
      );
    });
  endpoints.answered(call.region, name, { variant, status: answer.status });
  if (!answer.ok) return modelError(call, answer.status, await answer.text());
  const type = answer.headers.get("content-type") ?? "application/octet-stream";
  const invoked = { "x-amzn-invoked-production-variant": variant };
  if (call.operation === "InvokeEndpoint") {
    const body = Buffer.from(await answer.arrayBuffer());
    const exchange = { request: call.body, answer: body, contentType, variant };
    await endpoints.capture(call.region, name, exchange);
    return { status: 200, headers: { "content-type": type, ...invoked }, body };
  }
  return {
    status: 200,
    headers: {
      "content-type": "application/vnd.amazon.eventstream",
      "x-amzn-sagemaker-content-type": type,
      ...invoked,
    },
    body: "",
    stream: parts(answer),
  };
}
