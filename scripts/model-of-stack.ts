import { UserError } from "../components/user-error.ts";
import { openAsyncModel } from "./adapters/async-model.ts";
import { openEndpointModel } from "./adapters/endpoint-model.ts";
import { openHostModel } from "./adapters/host-model.ts";
import type { ClientSettings } from "./adapters/account-scope.ts";
import type { ModelClient } from "./invoke/model-client.ts";
import { sshTarget } from "./ssh-target.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/**
 * The model that a stack serves, on whichever target it is.
 *
 * @throws UserError when the stack has none that is ready
 */
export async function openModel(
  outputs: BerthOutputs,
  client: ClientSettings,
): Promise<ModelClient> {
  const { endpointName, plan, url, asyncUri, apiToken: token, certificate } = outputs;
  if (endpointName !== undefined) {
    const form = plan?.endpoint?.container.requestForm ?? "completion";
    return asyncUri === undefined
      ? openEndpointModel({ endpointName, form, client })
      : openAsyncModel({ endpointName, form, client, asyncUri });
  }
  if (url !== undefined) {
    return openHostModel({ target: sshTarget(outputs), url, token, certificate });
  }
  throw new UserError("This stack serves no model.", {
    hint: "Run berth up, or berth status to see what there is.",
  });
}
