import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { makePlan } from "../../components/sizing/make-plan.ts";
import { untaggableTypes } from "../../components/tag-contract.ts";
import { UserError } from "../../components/user-error.ts";
import { deployGpuHost } from "../../stacks/gpu-host-stack.ts";
import { acceptedWith, checkLicence, licencedModels } from "../../stacks/licence.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { stackOutputs } from "../../stacks/outputs.ts";
import { parseSettings, planRequest } from "../../stacks/settings.ts";
import { goodConfig, somePlan } from "../support/builders.ts";
import { underMocks, valueOf } from "../support/mocks.ts";

function deployment(stack: string, change: Readonly<Record<string, unknown>> = {}) {
  const settings = parseSettings({ stack, config: { ...goodConfig, ...change } });
  assert.equal(settings.target, "ec2");
  const plan = makePlan(planRequest(settings), loadCatalogue());
  return underMocks(() => stackOutputs(deployGpuHost(settings, plan)), { stack });
}

describe("index.ts", () => {
  it("reads as a table of contents, and gives the outputs that others read", async () => {
    pulumi.runtime.setAllConfig(goodConfig as Record<string, string>);
    const { result } = await underMocks(() => import("../../index.ts"));
    const outputs = result.default;
    assert.deepEqual(
      Object.keys(outputs).toSorted(),
      [
        ["address", "apiToken", "catalogueVersion", "certificate", "expiresAt", "hostKey"],
        ["hourlyUsd", "instanceId", "instanceType", "launched", "monthlyUsd", "owner", "plan"],
        ["refusals", "sshPort", "startedAt", "url", "user", "weightsUri"],
      ].flat(),
    );
    assert.ok("address" in outputs);
    assert.equal(await valueOf(pulumi.output(outputs.address)), "203.0.113.9");
    assert.equal(await valueOf(pulumi.output(outputs.hostKey)), "ssh-ed25519 AAAArotated");
    assert.equal(await valueOf(pulumi.output(outputs.weightsUri)), "s3://models/qwen2.5-7b/");
    const lines = readFileSync(new URL("../../index.ts", import.meta.url), "utf8").split("\n");
    assert.ok(lines.length <= 31);
  });
});

describe("deployGpuHost", () => {
  it("tags everything that can be tagged", async () => {
    const { resources } = await deployment("dev", { "berth:weightsBucket": undefined });
    const taggable = resources.filter(
      ({ type }) => type.startsWith("aws:") && !untaggableTypes.has(type),
    );
    assert.ok(taggable.length > 15);
    for (const { name, inputs } of taggable) {
      const tags = inputs["tags"] as Record<string, string> | undefined;
      assert.equal(tags?.["berth:stack"], "dev", name);
      assert.equal(tags["berth:owner"], "alice@example.org", name);
      assert.match(tags["berth:run-id"] ?? "", /^[0-9a-f]{12}$/, name);
      assert.equal(tags["Name"], name, name);
      assert.ok(Object.keys(tags).length <= 12, name);
    }
  });

  it("gives everything the tags of the user's own too", async () => {
    const { resources } = await deployment("dev", { "berth:tags": { CostCenter: "42" } });
    const taggable = resources.filter(
      ({ type }) => type.startsWith("aws:") && !untaggableTypes.has(type),
    );
    for (const { name, inputs } of taggable) {
      const tags = inputs["tags"] as Record<string, string> | undefined;
      assert.deepEqual([tags?.["CostCenter"], tags?.["berth:stack"]], ["42", "dev"], name);
    }
    const template = resources.find(({ name }) => name === "dev-host-template");
    const kinds = template?.inputs["tagSpecifications"] as { tags: Record<string, string> }[];
    assert.ok(kinds.length > 2 && kinds.every(({ tags }) => tags["CostCenter"] === "42"));
  });

  it("says on what it launches, and on the schedules' group, when it ends, and only there, so that an extension changes little", async () => {
    const { resources } = await deployment("dev");
    const dated = resources.filter(({ inputs }) => JSON.stringify(inputs).includes("expires-at"));
    assert.deepEqual(dated.map(({ name }) => name).toSorted(), [
      "dev-host-template",
      "dev-teardown-group",
    ]);
    const template = dated.find(({ name }) => name === "dev-host-template");
    const kinds = template?.inputs["tagSpecifications"] as { tags: Record<string, string> }[];
    for (const { tags } of kinds) assert.ok(Object.keys(tags).length <= 12);
    assert.match(String(kinds[0]?.tags["berth:expires-at"]), /^\d{4}-\d\d-\d\dT[\d:]{8}Z$/);
  });

  it("opens nothing to the world", async () => {
    const { resources } = await deployment("dev");
    const ingress = resources.filter(({ type }) => type.includes("Ingress"));
    assert.deepEqual(
      ingress.map(({ inputs }) => [inputs["cidrIpv4"], inputs["cidrIpv6"]]),
      [["203.0.113.7/32", undefined]],
    );
  });

  it("holds no keys in its AWS provider, and uses it for everything", async () => {
    const { resources, named } = await deployment("dev");
    const { inputs } = named("dev-aws");
    const known = ["defaultTags", "maxRetries", "region"];
    // The SDK adds two defaults of its own.
    const asked = Object.keys(inputs).filter((key) => !key.startsWith("skip"));
    assert.deepEqual(asked.toSorted(), known);
    const ours = resources.filter(({ type }) => type.startsWith("aws:"));
    for (const { name, providers } of ours) assert.match(providers.join(), /dev-aws/, name);
  });

  it("arms the teardown before the host, and starts the server after its parts", async () => {
    const { named } = await deployment("dev");
    const waitsFor = (name: string, other: string) =>
      named(name).dependencies.some((urn) => urn.endsWith(`::${other}`));
    assert.ok(waitsFor("dev-host-launch", "dev-teardown-at-deadline"));
    assert.ok(waitsFor("dev-host-launch", "dev-network-out"));
    assert.ok(waitsFor("dev-bootstrap", "dev-host-launch"));
    assert.ok(waitsFor("dev-weights", "dev-host-launch"));
    assert.ok(!waitsFor("dev-weights", "dev-bootstrap"));
    assert.ok(waitsFor("dev-server", "dev-bootstrap"));
    assert.ok(waitsFor("dev-server", "dev-weights"));
  });

  it("brings adapters beside the weights, lets the role read them, and has the server take them", async () => {
    const { named } = await deployment("dev", {
      "berth:adapters": "acme=adapters/q/acme/1/, sales=adapters/q/sales/2/",
      "berth:adapterRank": "64",
    });
    const { inputs } = named("dev-adapter-acme");
    assert.equal(inputs["prefix"], "adapters/q/acme/1/");
    assert.equal(inputs["folder"], "/opt/berth/weights/adapters/acme");
    const policy = JSON.parse(String(named("dev-host-read-adapters").inputs["policy"])) as {
      readonly Statement: readonly { readonly Resource: unknown; readonly Condition?: unknown }[];
    };
    // Two statements, however many adapters: a role has room for few characters.
    const below = ["adapters/q/acme/1/*", "adapters/q/sales/2/*"];
    assert.deepEqual(
      policy.Statement.map(({ Resource, Condition }) => [Resource, Condition]),
      [
        [below.map((each) => `arn:aws:s3:::models/${each}`), undefined],
        ["arn:aws:s3:::models", { StringLike: { "s3:prefix": below } }],
      ],
    );
    const server = named("dev-server");
    assert.deepEqual(server.inputs["adapters"], [
      { name: "acme", folder: "/opt/berth/weights/adapters/acme" },
      { name: "sales", folder: "/opt/berth/weights/adapters/sales" },
    ]);
    assert.equal(server.inputs["adapterRank"], 64);
    assert.ok(server.dependencies.some((urn) => urn.endsWith("::dev-adapter-sales")));
    const plain = await deployment("dev");
    assert.equal("adapters" in plain.named("dev-server").inputs, false);
    assert.throws(() => plain.named("dev-host-read-adapters"));
    const gguf = { ...goodConfig, "berth:adapters": "acme=a/", "berth:engine": "transformers" };
    const settings = parseSettings({ stack: "dev", config: gguf });
    assert.throws(
      () => makeStackPlan(settings),
      (error) =>
        error instanceof UserError && error.problems.join().includes("transformers serves none"),
    );
    const alike = { ...goodConfig, "berth:adapters": "qwen2.5-7b=a/" };
    assert.throws(
      () => makeStackPlan(parseSettings({ stack: "dev", config: alike })),
      /beside qwen2\.5-7b by the same name/,
    );
  });

  it("keeps its server on loopback behind a token, and opens it to one block over TLS alone", async () => {
    const closed = await deployment("dev");
    const server = closed.named("dev-server").inputs;
    assert.equal(server["open"], false);
    assert.equal(server["tls"], undefined);
    assert.match(JSON.stringify(server["token"]), /berth-[\w-]{32}/);
    const open = await deployment("dev", { "berth:serveCidr": "198.51.100.0/24" });
    assert.equal(open.named("dev-server").inputs["open"], true);
    assert.equal(open.named("dev-server").inputs["tls"], "own");
    assert.equal(open.named("dev-network-host-serve-in").inputs["cidrIpv4"], "198.51.100.0/24");
    const clear = { "berth:serveCidr": "198.51.100.0/24", "berth:tls": "off" };
    const settings = parseSettings({ stack: "dev", config: { ...goodConfig, ...clear } });
    assert.throws(() => makeStackPlan(settings), /cannot be reached as asked/);
  });

  it("tells the host when its lease ends, again with every up", async () => {
    const { named, result } = await deployment("dev");
    const expiresAt = await valueOf(result.expiresAt);
    assert.match(expiresAt, /^\d{4}-/);
    assert.equal(named("dev-bootstrap").inputs["expiresAt"], expiresAt);
  });

  it("has no schedule where there is no deadline, and protects what prod has", async () => {
    const { resources, named, result } = await deployment("prod", {
      "berth:weightsBucket": undefined,
    });
    assert.ok(!resources.some(({ type }) => type.startsWith("aws:scheduler")));
    assert.equal(await valueOf(result.expiresAt), "");
    assert.equal(named("prod-host-launch").protect, true);
    assert.equal(named("prod-weights-store-bucket").protect, true);
    assert.equal(named("prod-weights-store-bucket").inputs["forceDestroy"], false);
  });

  it("has no private key among the inputs of what connects", async () => {
    const { named } = await deployment("dev");
    for (const name of ["dev-host-key-rotation", "dev-bootstrap", "dev-weights", "dev-server"]) {
      const connection = named(name).inputs["connection"] as object;
      assert.deepEqual(Object.keys(connection).toSorted(), ["host", "hostKey", "port", "user"]);
    }
  });

  it("pins the host's own key in all that connects after the first contact", async () => {
    const { named } = await deployment("dev");
    for (const name of ["dev-bootstrap", "dev-weights", "dev-server"]) {
      const { hostKey } = named(name).inputs["connection"] as { hostKey: string };
      assert.equal(hostKey, "ssh-ed25519 AAAArotated", name);
    }
  });
});

describe("checkLicence", () => {
  const gated = { ...somePlan(), gated: true, licence: "llama3.1" };

  it("holds the up of a gated model, and names its licence", () => {
    assert.throws(
      () => {
        checkLicence({}, gated, false);
      },
      (error) =>
        error instanceof UserError &&
        /^Llama 3\.1 Community License \(https:.*\): you agree to/.test(error.problems.join()),
    );
  });

  it("lets a preview look, and an accepted one go on", () => {
    checkLicence({}, gated, true);
    checkLicence({ acceptLicence: ["llama3.1"] }, gated, false);
    checkLicence({}, somePlan(), false);
  });

  it("holds what no source calls free as well, and says that it does not know", () => {
    const plan = somePlan({ model: "stable-diffusion-2.1" });
    assert.equal(plan.gated, true);
    assert.throws(
      () => {
        checkLicence({}, plan, false);
      },
      (error) =>
        error instanceof UserError &&
        error.message.includes("its licence, openrail++, has") &&
        error.problems.join().includes("No source of the catalogue says whether"),
    );
  });

  it("does not take one licence's acceptance for another's", () => {
    assert.throws(() => {
      checkLicence({ acceptLicence: ["llama2"] }, gated, false);
    }, /its licence, llama3\.1, has to be accepted/);
  });

  it("is of every model that an endpoint serves, and so is what a command line accepts", () => {
    const settings = parseSettings({
      stack: "dev",
      config: {
        ...goodConfig,
        "berth:target": "sagemaker",
        "berth:endpointMode": "realtime",
        "berth:model": "qwen2.5-7b",
        "berth:variants": JSON.stringify([
          { name: "new", share: 10, model: "llama-3.1-8b" },
          { name: "old", share: 10, model: "llama-2-7b" },
        ]),
      },
    });
    const models = licencedModels(makeStackPlan(settings));
    assert.deepEqual(
      models.map(({ licence }) => licence),
      ["apache-2.0", "llama3.1", "llama2"],
    );
    assert.deepEqual(acceptedWith(undefined, "llama3.1", models), ["llama3.1"]);
    assert.deepEqual(acceptedWith(["llama3.1"], "llama2, llama3.1", models), [
      "llama3.1",
      "llama2",
    ]);
    assert.equal(acceptedWith(["llama2"], "gemma", models), undefined);
    assert.equal(acceptedWith(["llama2"], undefined, models), undefined);
  });
});
