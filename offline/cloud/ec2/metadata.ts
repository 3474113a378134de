import { createHash } from "node:crypto";
import type { InstanceView } from "./instance-view.ts";

const accountId = "123456789012";

/** Temporary credentials of a role, as the metadata service gives them. */
export interface RoleCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken: string;
}

/** Credentials of an instance's role: made from its id, so that they stay the same while it lives. */
export function credentialsOf(instance: InstanceView): RoleCredentials {
  const make = (use: string): string =>
    createHash("sha256").update(`${use} ${instance.id}`).digest("hex");
  return {
    accessKeyId: `ASIA${make("key").slice(0, 16).toUpperCase()}`,
    secretAccessKey: make("secret").slice(0, 40),
    sessionToken: make("session"),
  };
}

/** The text of every path below `/latest/meta-data/` that the emulation knows. */
export function metadataOf(instance: InstanceView, address: string): Record<string, string> {
  const region = instance.region;
  const name = `ip-${address.replaceAll(".", "-")}.${region}.compute.internal`;
  const paths: Record<string, string> = {
    "ami-id": instance.imageId,
    "ami-launch-index": "0",
    hostname: name,
    "local-hostname": name,
    "instance-action": "none",
    "instance-id": instance.id,
    "instance-life-cycle": instance.lifecycle,
    "instance-type": instance.type,
    "local-ipv4": address,
    "public-ipv4": address,
    mac: instance.mac,
    [`network/interfaces/macs/${instance.mac}/local-ipv4s`]: address,
    "placement/availability-zone": instance.zone,
    "placement/region": region,
    "security-groups": instance.securityGroups.join("\n"),
    "services/domain": "amazonaws.com",
    "services/partition": "aws",
  };
  if (instance.publicKeys[0] !== undefined && instance.keyName !== null) {
    paths["public-keys/0/openssh-key"] = instance.publicKeys[0];
  }
  if (instance.profile !== null) {
    const { arn, id, role } = instance.profile;
    const updated = new Date().toISOString();
    paths["iam/info"] = JSON.stringify({
      Code: "Success",
      LastUpdated: updated,
      InstanceProfileArn: arn,
      InstanceProfileId: id,
    });
    if (role !== "") {
      const credentials = credentialsOf(instance);
      paths[`iam/security-credentials/${role}`] = JSON.stringify({
        Code: "Success",
        LastUpdated: updated,
        Type: "AWS-HMAC",
        AccessKeyId: credentials.accessKeyId,
        SecretAccessKey: credentials.secretAccessKey,
        Token: credentials.sessionToken,
        Expiration: new Date(Date.now() + 6 * 3_600_000).toISOString(),
      });
    }
  }
  if (instance.metadataTags) {
    for (const [key, value] of Object.entries(instance.tags)) paths[`tags/instance/${key}`] = value;
  }
  return paths;
}

/** `/latest/dynamic/instance-identity/document`. */
export function identityDocument(instance: InstanceView, address: string): string {
  return JSON.stringify(
    {
      accountId,
      architecture: "x86_64",
      availabilityZone: instance.zone,
      imageId: instance.imageId,
      instanceId: instance.id,
      instanceType: instance.type,
      pendingTime: new Date().toISOString(),
      privateIp: address,
      region: instance.region,
      version: "2017-09-30",
    },
    null,
    2,
  );
}

/** The listing of a folder of the metadata tree, or the text of a leaf; none where there is nothing. */
export function lookUp(paths: Readonly<Record<string, string>>, path: string): string | undefined {
  const wanted = path.replace(/\/$/, "");
  const leaf = paths[wanted];
  if (leaf !== undefined) return leaf;
  const below = wanted === "" ? "" : `${wanted}/`;
  const names = new Set<string>();
  for (const each of Object.keys(paths)) {
    if (!each.startsWith(below)) continue;
    const rest = each.slice(below.length);
    const slash = rest.indexOf("/");
    names.add(slash < 0 ? rest : rest.slice(0, slash + 1));
  }
  return names.size === 0 ? undefined : [...names].toSorted().join("\n");
}
