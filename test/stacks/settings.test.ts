import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { loadCatalogue } from "../../components/catalogue/load.ts";
import { makePlan } from "../../components/sizing/make-plan.ts";
import { UserError } from "../../components/user-error.ts";
import { makeStackPlan } from "../../stacks/make-stack-plan.ts";
import { parseSettings, planRequest } from "../../stacks/settings.ts";
import { goodConfig } from "../support/builders.ts";

function settings(stack: string, change: Readonly<Record<string, unknown>> = {}) {
  return parseSettings({ stack, config: { ...goodConfig, ...change } });
}

function problemsOf(stack: string, config: Readonly<Record<string, unknown>>): readonly string[] {
  try {
    parseSettings({ stack, config });
  } catch (error) {
    assert.ok(error instanceof UserError);
    return error.problems;
  }
  return assert.fail("it was taken");
}

describe("parseSettings", () => {
  for (const [stack, spot, leaseHours, protect, gpuCount] of [
    ["dev", true, 4, false, 1],
    ["dev-alice", true, 4, false, 1],
    ["staging", false, 10, false, undefined],
    ["prod", false, undefined, true, undefined],
    ["local", false, 2, false, 1],
  ] as const) {
    it(`has the defaults of ${stack}`, () => {
      const found = settings(stack);
      assert.deepEqual(
        [found.spot, found.leaseHours, found.protect, found.gpuCount],
        [spot, leaseHours, protect, gpuCount],
      );
    });
  }

  it("says why an engine is not offered, and what to take instead", () => {
    const [problem = ""] = problemsOf("dev", { ...goodConfig, "berth:engine": "tgi" });
    assert.match(problem, /engine: tgi is not offered: its repository is archived.* vllm serves/);
    const [other = ""] = problemsOf("dev", { ...goodConfig, "berth:engine": "ollama" });
    assert.match(other, /must be vllm, llama\.cpp, transformers or diffusers/);
  });

  it("takes values as text, as the command line gives them, and as a file has them", () => {
    const asText = settings("dev", {
      "berth:spot": "false",
      "berth:leaseHours": "1.5",
      "berth:context": "2048",
      "berth:instanceTypes": '["g5.xlarge","g6.xlarge"]',
    });
    const asIs = settings("dev", {
      "berth:spot": false,
      "berth:leaseHours": 1.5,
      "berth:context": 2048,
      "berth:instanceTypes": "g5.xlarge, g6.xlarge",
    });
    assert.deepEqual(asText, asIs);
    assert.deepEqual(asText.instanceTypes, ["g5.xlarge", "g6.xlarge"]);
    assert.equal(planRequest(asText).contextTokens, 2048);
  });

  it("takes licences by their names alone", () => {
    const names = settings("dev", { "berth:acceptLicence": "llama2, llama3.1" }).acceptLicence;
    assert.deepEqual(names, ["llama2", "llama3.1"]);
    for (const value of [true, "true", false, ""]) {
      const [problem = ""] = problemsOf("dev", { ...goodConfig, "berth:acceptLicence": value });
      assert.match(problem, /berth:acceptLicence: must be the names of the licences .* llama2/);
    }
  });

  it("takes the market before spot, and asks the planner for its order, zones and limit", () => {
    const found = settings("prod", {
      "berth:market": "spot-then-on-demand",
      "berth:spotMaxHourlyUsd": "0.6",
      "berth:zones": "us-east-1b, us-east-1d",
    });
    const { spot, onDemandAfterSpot, spotMaxHourlyUsd, zones } = planRequest(found);
    assert.deepEqual([spot, onDemandAfterSpot, spotMaxHourlyUsd], [true, true, 0.6]);
    assert.deepEqual(zones, ["us-east-1b", "us-east-1d"]);
    const { spot: none } = planRequest(settings("dev", { "berth:market": "on-demand" }));
    assert.equal(none, false);
    const wrong = {
      "berth:market": "cheap",
      "berth:zones": "use1-az1",
      "berth:spotMaxHourlyUsd": 0,
    };
    const problems = problemsOf("dev", { ...goodConfig, ...wrong }).join("\n");
    for (const key of ["market", "zones", "spotMaxHourlyUsd"]) assert.match(problems, RegExp(key));
  });

  it("takes so many adapters as a role has room for, each by a name of its own", () => {
    const adapters = (count: number) => {
      const entries = Array.from({ length: count }, (_, index) => `a${index}=adapters/q/${index}/`);
      return { ...goodConfig, "berth:adapters": entries };
    };
    const settings = parseSettings({ stack: "dev", config: adapters(32) });
    assert.equal(settings.target === "ec2" && settings.adapters?.length, 32);
    assert.match(problemsOf("dev", adapters(33)).join(), /must name 32 at most/);
    const twice = { ...goodConfig, "berth:adapters": ["a=x/", "a=y/"] };
    assert.match(problemsOf("dev", twice).join(), /names an adapter twice/);
  });

  it("takes tags as a file and the command line have them, but none of berth's or AWS's", () => {
    const tags = (value: unknown) =>
      parseSettings({ stack: "dev", config: { ...goodConfig, "berth:tags": value } });
    const wanted = { CostCenter: "42", "team/name": "ml research" };
    for (const value of [{ ...wanted, CostCenter: 42 }, JSON.stringify(wanted)]) {
      const settings = tags(value);
      assert.deepEqual(settings.target === "ec2" && settings.tags, wanted);
    }
    for (const key of ["berth:owner", "aws:x", "Name", "a&b", ""]) {
      assert.throws(() => tags({ [key]: "x" }), /not configured right/, key);
    }
    assert.throws(() => tags({ a: "<b>" }), /not configured right/);
    const refused = (value: unknown) => problemsOf("dev", { ...goodConfig, "berth:tags": value });
    assert.match(refused({ Team: "" }).join(), /from 1 to 256/);
    assert.match(refused({ Team: "a", team: "b" }).join(), /more than case/);
    assert.throws(() => tags("CostCenter=42"), /not configured right/);
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, index) => [`k${index}`, "v"]));
    assert.throws(() => tags(many), /not configured right/);
  });

  it("lists every problem at once, each with its place", () => {
    const problems = problemsOf("pilot", {
      "aws:region": "Frankfurt",
      "berth:modle": "qwen2.5-7b",
      "berth:owner": "a$b",
      "berth:sshCidr": "0.0.0.0/0",
      "berth:sshPublicKey": "-----BEGIN OPENSSH PRIVATE KEY-----",
      "berth:leaseHours": "soon",
      "berth:serverPort": 70_000,
      "berth:precision": "int2",
      "berth:rootVolumeGiB": "wide",
      "berth:expiresAt": "tomorrow",
      "berth:spot": "perhaps",
      "berth:vpcId": "mine",
    });
    const expected = [
      'berth:env: the name "pilot"',
      "aws:region: must be a region",
      "berth:model: is missing",
      "berth:owner: must be letters",
      "berth:spot: must be true or false",
      'berth:leaseHours: must be hours, more than 0 and at most 720, or "none"',
      "berth:expiresAt: must be a time",
      'berth:sshCidr: "0.0.0.0/0" is the whole world',
      "berth:sshPublicKey: must be one line",
      "berth:serverPort: must be a whole number from 1 to 65535",
      "berth:precision: must be auto, native, int8 or int4",
      "berth:rootVolumeGiB: must be a number",
      "berth:vpcId: must be a VPC",
      "berth:modle: there is no such setting",
    ];
    for (const [index, start] of expected.entries()) {
      assert.ok(
        problems[index]?.startsWith(`stacks/Pulumi.pilot.yaml: ${start}`),
        `${start} <> ${problems[index]}`,
      );
    }
    assert.equal(problems.length, expected.length);
  });

  it("says of a key that it is missing", () => {
    const problems = problemsOf("dev", { "aws:region": "us-east-1", "berth:model": "qwen2.5-7b" });
    assert.deepEqual(problems, [
      "stacks/Pulumi.dev.yaml: berth:owner: is missing",
      "stacks/Pulumi.dev.yaml: berth:sshCidr: is missing",
      "stacks/Pulumi.dev.yaml: berth:sshPublicKey: is missing",
    ]);
  });

  for (const leaseHours of [0, -1, 721, "0", ""]) {
    it(`refuses a lease of "${leaseHours}" hours`, () => {
      const config = { ...goodConfig, "berth:leaseHours": leaseHours };
      assert.equal(problemsOf("dev", config).length, 1);
    });
  }

  it("ends a prefix with a slash", () => {
    assert.equal(settings("dev", { "berth:weightsPrefix": "a/b" }).weightsPrefix, "a/b/");
  });

  it("leaves the keys of other namespaces alone", () => {
    assert.equal(settings("dev", { "other:key": "x" }).env, "dev");
  });
});

describe("the stack files", () => {
  for (const env of ["dev", "staging", "prod", "local"]) {
    it(`Pulumi.${env}.yaml lacks only what is the user's`, () => {
      const file = new URL(`../../stacks/Pulumi.${env}.yaml`, import.meta.url);
      const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
      const missing = problemsOf(env, config).map((problem) => problem.split(": ")[1]);
      assert.deepEqual(missing, ["berth:owner", "berth:sshCidr", "berth:sshPublicKey"]);
    });
  }
});

describe("the examples", () => {
  it("dev-llama is configured right, and can be planned", () => {
    const file = new URL("../../examples/dev-llama/Pulumi.dev.yaml", import.meta.url);
    const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, unknown> };
    const plan = makePlan(planRequest(parseSettings({ stack: "dev", config })), loadCatalogue());
    assert.equal(plan.modelId, "llama-3.1-8b");
    assert.equal(plan.leaseHours, 4);
  });
});

describe("parseSettings of a machine that is there already", () => {
  const machine = {
    "berth:target": "existing-host",
    "berth:model": "qwen2.5-7b",
    "berth:owner": "alice@example.org",
    "berth:host": "alice@192.0.2.10:2222",
    "berth:hostKey": "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ machine",
    "berth:gpus": "2 x RTX 3090",
    "berth:weightsFolder": "/models/qwen",
  };
  const parse = (change: Readonly<Record<string, unknown>>) =>
    parseSettings({ stack: "dev", config: { ...machine, ...change } });

  it("needs no region, no key and no CIDR, and has no end", () => {
    const settings = parse({});
    assert.equal(settings.target, "existing-host");
    assert.equal(settings.region, "");
    assert.equal(settings.leaseHours, undefined);
    assert.equal(settings.allowReboot, false);
    assert.equal(settings.replaceDriver, false);
  });

  it("says all that is wrong at once", () => {
    const wrong = {
      "berth:host": "192.0.2.10",
      "berth:hostKey": "AAAA",
      "berth:gpus": "2 x Yacht",
      "berth:weightsFolder": undefined,
      "berth:sshCidr": "203.0.113.7/32",
    };
    assert.throws(
      () => parse(wrong),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.deepEqual(error.problems.map((line) => /berth:\w+/.exec(line)?.[0]).toSorted(), [
          ...["berth:gpus", "berth:host", "berth:hostKey", "berth:sshCidr"],
          "berth:weightsFolder",
        ]);
        return true;
      },
    );
  });

  it("takes its weights from one place", () => {
    assert.throws(() => parse({ "berth:weightsBucket": "models" }), /not configured right/);
    const bucket = { "berth:weightsFolder": undefined, "berth:weightsBucket": "models" };
    assert.throws(() => parse(bucket), /not configured right/);
    assert.equal(parse({ ...bucket, "aws:region": "eu-west-1" }).region, "eu-west-1");
  });

  it("is planned by the GPUs that it has", () => {
    const settings = parse({});
    assert.equal(settings.target, "existing-host");
    const plan = makeStackPlan(settings);
    const [placement] = plan.ladder;
    assert.equal(plan.engine, "vllm");
    assert.deepEqual([placement.gpuModel, placement.gpuCount], ["RTX 3090", 2]);
    assert.equal(plan.hourlyUsd, 0);
    const planned = (change: Readonly<Record<string, unknown>>) => {
      const asked = parse(change);
      return () => (asked.target === "existing-host" ? makeStackPlan(asked) : undefined);
    };
    const explained = (pattern: RegExp) => (error: unknown) => {
      assert.ok(error instanceof UserError);
      assert.match(error.problems.join(), pattern);
      return true;
    };
    const huge = planned({ "berth:model": "llama-3.3-70b" });
    assert.throws(huge, explained(/needs [\d.]+ GiB on each of 2 GPUs, and a GPU has 23\.5 GiB/));
    assert.throws(planned({ "berth:gpus": "none" }), explained(/vLLM needs a GPU/));
    const mixed = planned({ "berth:gpus": "RTX 3090, RTX 4090" });
    assert.throws(mixed, explained(/GPUs of one kind only/));
  });
});
