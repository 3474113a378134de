import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  fromDeployment,
  toDeployment,
  type Deployment,
} from "../../../../offline/runner/shell/checkpoint.ts";
import { PassphraseSecrets } from "../../../../offline/runner/shell/passphrase.ts";

// The fields are those of Pulumi's ResourceV3 and DeploymentV3:
// https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/core.go, deployments.json and resources.json beside it.

const urn = (type: string, name: string) => `urn:pulumi:dev::proj::${type}::${name}`;
const stack = urn("pulumi:pulumi:Stack", "proj-dev");
const provider = urn("pulumi:providers:files", "default");
const signature = "4dabf18193072939515e22adb298388d";

function everyField(secret: string): Record<string, unknown> {
  return {
    urn: urn("files:index:File", "one"),
    custom: true,
    delete: true,
    id: "one-1",
    type: "files:index:File",
    inputs: {
      content: { [signature]: "1b47061264138c4ac30d75fd1eb44270", ciphertext: secret },
      asset: { [signature]: "c44067f5952c0a294b673a41bacd8c17", hash: "ab", text: "words" },
      nothing: null,
      list: [1, true, { deep: "x" }],
    },
    outputs: { path: "/one" },
    parent: stack,
    protect: true,
    taint: true,
    external: true,
    dependencies: [stack],
    initErrors: ["not yet up"],
    provider: `${provider}::3b1c`,
    propertyDependencies: { content: [stack], asset: null },
    pendingReplacement: true,
    additionalSecretOutputs: ["path"],
    aliases: [urn("files:index:File", "uno")],
    customTimeouts: { create: 60, update: 30, delete: 10 },
    importID: "one-1",
    retainOnDelete: true,
    deletedWith: stack,
    created: "2026-01-02T03:04:05.678Z",
    modified: "2026-01-02T03:04:05.678Z",
    sourcePosition: "project:///index.ts#12,7",
    ignoreChanges: ["content"],
    replaceOnChanges: ["asset"],
    hideDiff: ["content"],
    refreshBeforeUpdate: true,
    // Fields of newer engines, which this one does not read.
    viewOf: stack,
    replaceWith: [stack],
    resourceHooks: { beforeCreate: ["hook"] },
    stackTrace: [{ sourcePosition: "project:///index.ts#12,7" }],
    snippetID: "1f0c",
  };
}

describe("a checkpoint of the Pulumi CLI", () => {
  // Check texts of the CLI's own tests (sdk/go/pulumi-secrets-passphrase): what they hold was encrypted by the CLI.
  for (const [passphrase, salt] of [
    ["password", "v1:fozI5u6B030=:v1:F+6ZduKKd8G0/V7L:PGMFeIzwobWRKmEAzUdaQHqC5mMRIQ=="],
    ["", "v1:LVuDkcjhUns=:v1:WPbL+tmbxnqWswQ2:lebZxStyHT3IZkmbN+3xCx9zqtoPog=="],
  ] as const) {
    it(`has secrets that open with its passphrase "${passphrase}", and with no other`, () => {
      PassphraseSecrets.open(salt, { PULUMI_CONFIG_PASSPHRASE: passphrase });
      const wrong = { PULUMI_CONFIG_PASSPHRASE: `${passphrase}1` };
      assert.throws(() => PassphraseSecrets.open(salt, wrong), /incorrect passphrase/);
    });
  }

  it("keeps every field of every resource on its way through, those of newer engines too", () => {
    const secrets = PassphraseSecrets.create({ PULUMI_CONFIG_PASSPHRASE: "right" });
    const resource = everyField(secrets.encrypt('"hush"'));
    const components = [
      { urn: stack, custom: false, type: "pulumi:pulumi:Stack" },
      { urn: provider, custom: true, id: "3b1c", type: "pulumi:providers:files" },
    ];
    const deployment: Deployment = {
      manifest: { time: "2026-01-02T03:04:05Z", magic: "", version: "" },
      secrets_providers: { type: "passphrase", state: { salt: secrets.salt } },
      resources: [...components, resource],
      pending_operations: [{ resource, type: "updating" }],
    };
    const after = toDeployment(
      fromDeployment(deployment, () => secrets),
      secrets,
      "encrypted",
    );
    // Go writes an empty list as null, and reads either.
    const expected = { ...resource, propertyDependencies: { content: [stack], asset: [] } };
    assert.deepEqual(after.resources?.[2], expected);
    assert.deepEqual(after.pending_operations, [{ resource: expected, type: "updating" }]);
    assert.deepEqual(after.resources.slice(0, 2), components);
  });

  it("carries the magic that the CLI checks, and no field that its schema does not have", () => {
    const secrets = PassphraseSecrets.create({ PULUMI_CONFIG_PASSPHRASE: "right" });
    const made = toDeployment({ resources: [], pendingOperations: [] }, secrets, "encrypted");
    const { magic, version } = made.manifest;
    assert.match(version, /^v3\.\d+\.\d+$/);
    assert.equal(magic, createHash("sha256").update(version).digest("hex"));
    const known = ["manifest", "secrets_providers", "resources", "pending_operations", "metadata"];
    assert.deepEqual(
      Object.keys(made).filter((key) => !known.includes(key)),
      [],
    );
  });
});
