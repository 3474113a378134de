import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import type * as providerTypes from "@pulumi/pulumi/proto/provider_pb.js";

import { keepAll, toPlain, toStruct } from "./property-marshal.ts";
import { reveal } from "./property-value.ts";
import type { PropertyMap } from "./property-value.ts";
import type { Subject } from "./provider.ts";
import { urnName, urnType } from "./urn.ts";

/** The message that hands a provider its settings: as a struct, and as text under `<package>:config:<key>` for older plugins. */
export function configureRequest(
  packageName: string,
  subject: Subject,
  inputs: PropertyMap,
): providerTypes.ConfigureRequest {
  const request = new providerPb.ConfigureRequest();
  const variables = request.getVariablesMap();
  for (const [key, value] of Object.entries(inputs)) {
    if (key === "version") continue;
    const plain = toPlain(reveal(value), { secrets: false, resources: false });
    variables.set(
      `${packageName}:config:${key}`,
      typeof plain === "string" ? plain : JSON.stringify(plain),
    );
  }
  request.setArgs(toStruct(inputs, keepAll));
  request.setAcceptsecrets(true).setAcceptresources(true);
  request.setSendsOldInputs(true).setSendsOldInputsToDelete(true);
  return request
    .setId(subject.id)
    .setUrn(subject.urn)
    .setName(urnName(subject.urn))
    .setType(urnType(subject.urn));
}
