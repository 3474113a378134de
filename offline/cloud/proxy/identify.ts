import type { ApiRequest, ApiRequestHead, Protocol } from "./api-request.ts";

/** REST APIs whose operation follows from method and path. */
const routes: Readonly<Record<string, readonly (readonly [string, RegExp, string])[]>> = {
  sagemaker: [
    ["POST", /^\/endpoints\/[^/]+\/invocations$/, "InvokeEndpoint"],
    [
      "POST",
      /^\/endpoints\/[^/]+\/invocations-response-stream$/,
      "InvokeEndpointWithResponseStream",
    ],
    ["POST", /^\/endpoints\/[^/]+\/async-invocations$/, "InvokeEndpointAsync"],
  ],
  scheduler: [
    ["POST", /^\/schedules\/[^/]+$/, "CreateSchedule"],
    ["PUT", /^\/schedules\/[^/]+$/, "UpdateSchedule"],
    ["GET", /^\/schedules\/[^/]+$/, "GetSchedule"],
    ["DELETE", /^\/schedules\/[^/]+$/, "DeleteSchedule"],
    ["GET", /^\/schedules\/?$/, "ListSchedules"],
    ["POST", /^\/schedule-groups\/[^/]+$/, "CreateScheduleGroup"],
    ["GET", /^\/schedule-groups\/[^/]+$/, "GetScheduleGroup"],
    ["DELETE", /^\/schedule-groups\/[^/]+$/, "DeleteScheduleGroup"],
    ["GET", /^\/schedule-groups\/?$/, "ListScheduleGroups"],
    ["GET", /^\/tags\//, "ListTagsForResource"],
    ["POST", /^\/tags\//, "TagResource"],
    ["DELETE", /^\/tags\//, "UntagResource"],
  ],
};

function restOperation(head: ApiRequestHead): string {
  const found = routes[head.service]?.find(
    ([method, path]) => method === head.method && path.test(head.path),
  );
  return found?.[2] ?? `${head.method} ${head.path}`;
}

function parseJson(body: Buffer): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** Tells operation, protocol and parameters of a call from its headers, path and body. */
export function identify(head: ApiRequestHead, body: Buffer): ApiRequest {
  const finish = (
    operation: string,
    protocol: Protocol,
    parameters: Record<string, unknown>,
  ): ApiRequest => ({ ...head, body, operation, protocol, parameters });

  const target = head.headers["x-amz-target"];
  if (target !== undefined) {
    return finish(target.slice(target.lastIndexOf(".") + 1), "json", parseJson(body));
  }
  const rpc = /^\/service\/[^/]+\/operation\/([^/]+)$/.exec(head.path);
  if (rpc?.[1] !== undefined) return finish(rpc[1], "json", {});
  const isForm = head.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  const form = isForm === true ? new URLSearchParams(body.toString()) : head.query;
  const action = form.get("Action");
  if (action !== null) {
    const protocol = head.service === "ec2" ? "ec2" : "query";
    return finish(action, protocol, Object.fromEntries(form));
  }
  return finish(restOperation(head), "rest-json", parseJson(body));
}
