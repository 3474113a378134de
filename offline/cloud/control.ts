import type { IncomingMessage, ServerResponse } from "node:http";
import type { Fault } from "./faults.ts";
import type { Cloud } from "./cloud.ts";

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const text = Buffer.concat(pieces).toString();
  return text === "" ? {} : (JSON.parse(text) as unknown);
}

/**
 * The cloud's own API below `/_cloud/`, for other processes than the one that started it:
 * GET calls, GET|POST clock {seconds}, GET|POST|DELETE faults, GET leftovers, GET instances.
 */
export async function serveControl(
  cloud: Cloud & { instances(): readonly object[] },
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(path, "http://localhost/");
  const answer = async (): Promise<unknown> => {
    switch (`${request.method ?? "GET"} ${url.pathname.slice(1)}`) {
      case "GET calls": {
        const service = url.searchParams.get("service");
        return cloud.calls().filter((call) => service === null || call.service === service);
      }
      case "GET clock":
        return { now: cloud.now().toISOString() };
      case "POST clock": {
        const { seconds } = (await readJson(request)) as { seconds?: unknown };
        if (typeof seconds !== "number" || !(seconds >= 0))
          throw new RangeError("seconds is a number from 0 up");
        await cloud.advanceClock(seconds);
        return { now: cloud.now().toISOString() };
      }
      case "POST faults":
        cloud.setFault((await readJson(request)) as Fault);
        return {};
      case "DELETE faults":
        cloud.clearFaults();
        return {};
      case "GET leftovers":
        return cloud.leftovers();
      case "GET instances":
        return cloud.instances();
      default:
        return undefined;
    }
  };
  let status = 200;
  let value: unknown;
  try {
    value = await answer();
    if (value === undefined) [status, value] = [404, { error: `no route ${url.pathname}` }];
  } catch (error) {
    [status, value] = [400, { error: String(error) }];
  }
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}
