import type { LocalCloud } from "./local-cloud.ts";
import type { AccountScope, ClientSettings } from "./account-scope.ts";

/** What is read of an emulated cloud. */
type CloudAddress = Pick<LocalCloud, "endpoint" | "environment">;

function clientSettings(region: string, cloud: CloudAddress | undefined): ClientSettings {
  if (cloud === undefined) return { region };
  const accessKeyId = cloud.environment["AWS_ACCESS_KEY_ID"] ?? "local";
  const secretAccessKey = cloud.environment["AWS_SECRET_ACCESS_KEY"] ?? "local";
  return { region, endpoint: cloud.endpoint, credentials: { accessKeyId, secretAccessKey } };
}

/** The account of a stack: the emulated one, or what the environment's credentials belong to. */
export function accountOf(
  stack: string,
  region: string,
  cloud: CloudAddress | undefined,
): AccountScope {
  return { stack, region, client: clientSettings(region, cloud) };
}
