import { UserError } from "../../components/user-error.ts";
import { openAsyncModel } from "../adapters/endpoint/async-model.ts";
import { openEndpointModel } from "../adapters/endpoint/endpoint-model.ts";
import { openHostModel } from "../adapters/host-model.ts";
import type { ClientSettings } from "../adapters/account-scope.ts";
import type { ModelClient } from "../invoke/model-client.ts";
import { sshTarget } from "./ssh-target.ts";
import type { BerthOutputs } from "./stack-outputs.ts";

/** Whom a request is for, where a stack serves several. */
export interface AskedModel {
  /** A model's name in the catalogue. */
  readonly model?: string | undefined;
  readonly variant?: string | undefined;
}

type Served = NonNullable<BerthOutputs["served"]>[number];

function servedName({ modelId, variant }: Served): string {
  return variant === undefined ? modelId : `${modelId} (variant ${variant})`;
}

/**
 * Which of a stack's models a request is for; undefined leaves it to the endpoint.
 *
 * @throws UserError when there is no such model, or it has several variants
 */
export function askedOf(
  { served, plan, adapters = [] }: BerthOutputs,
  { model, variant }: AskedModel,
): Served | undefined {
  if (model === undefined && variant === undefined) return undefined;
  if (served === undefined) {
    const names = [plan?.modelId, ...adapters];
    if (variant === undefined && names.includes(model)) return undefined;
    if (adapters.length > 0) {
      throw new UserError(`This host serves no "${[model, variant].filter(Boolean).join(", ")}".`, {
        hint: `It serves ${names.join(", ")}: name one with --model.`,
      });
    }
    throw new UserError("This stack serves one model, which needs no --model and no --variant.");
  }
  const found = served.filter(
    (each) =>
      (model === undefined || each.modelId === model) &&
      (variant === undefined || each.variant === variant),
  );
  const [only] = found;
  if (only !== undefined && found.length === 1) return only;
  const what = [model, variant].filter((each) => each !== undefined).join(", ");
  const problem = only === undefined ? "has no" : "has several of";
  throw new UserError(`The endpoint ${problem} "${what}".`, {
    hint: `It serves ${served.map(servedName).join(", ")}: name one with --model or --variant.`,
  });
}

/**
 * The model that a stack serves, on whichever target it is.
 *
 * @param tell told when the model has to wake up first, which is waited for then
 * @throws UserError when the stack has none that is ready, or not the one that is asked
 */
export async function openModel(
  outputs: BerthOutputs,
  client: ClientSettings,
  { tell, ...asked }: AskedModel & { readonly tell?: (line: string) => void } = {},
): Promise<ModelClient> {
  const { endpointName, plan, url, asyncUri, apiToken: token, certificate } = outputs;
  const chosen = askedOf(outputs, asked);
  if (endpointName !== undefined) {
    const own = plan?.endpoint?.container.requestForm ?? "completion";
    const form = chosen?.requestForm ?? own;
    const componentName = chosen?.component ?? outputs.inferenceComponent;
    const variantName = chosen?.variant;
    return asyncUri === undefined
      ? openEndpointModel({ endpointName, form, client, componentName, variantName, tell })
      : openAsyncModel({ endpointName, form, client, asyncUri });
  }
  if (url !== undefined) {
    const { model } = asked;
    return openHostModel({ target: sshTarget(outputs), url, token, certificate, model });
  }
  throw new UserError("This stack serves no model.", {
    hint: "Run berth up, or berth status to see what there is.",
  });
}
