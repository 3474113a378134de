import assert from "node:assert/strict";
import { previewCost } from "../../../components/cost/previewed-cost.ts";
import { monthlyCost } from "../../../components/cost/monthly-cost.ts";
import { commentMarker } from "../../../scripts/ci/ci-workflow.ts";
import {
  failedPreviewMarkdown,
  previewMarkdown,
  type Previewed,
} from "../../../scripts/ci/preview-markdown.ts";
import { somePlan } from "../../support/builders.ts";

const planned = {
  hourlyUsd: 1.25,
  atMost: false,
  month: monthlyCost(1.25, { leaseHours: undefined }),
  region: "us-east-1",
  weightsGiB: 14,
};

function markdown(change: Partial<Previewed> = {}): string {
  const running = { hourlyUsd: 1, monthlyUsd: 730 };
  const cost = previewCost(planned, running);
  return previewMarkdown({ stack: "dev", plan: somePlan(), cost, steps: [], ...change });
}

describe("previewMarkdown", () => {
  it("says the difference first: an hour and a month, against what runs", () => {
    const lines = markdown().split("\n");
    assert.equal(lines[0], commentMarker("dev"));
    assert.equal(lines[1], "### berth `dev`: +$0.2500 an hour, +$182.50 a month");
    assert.ok(lines.includes("| an hour | $1.00 | $1.25 | +$0.2500 |"), lines.join("\n"));
    assert.ok(lines.includes("| a month, all 730 h | $730.00 | $912.50 | +$182.50 |"));
    assert.ok(lines.includes("No resource changes."));
  });

  it("says that it gets cheaper, and that it costs the same", () => {
    const cheaper = previewCost(planned, { hourlyUsd: 2, monthlyUsd: 1460 });
    assert.match(markdown({ cost: cheaper }), /dev`: -\$0\.7500 an hour, -\$547\.50 a month/);
    const same = previewCost(planned, { hourlyUsd: 1.25, monthlyUsd: 912.5 });
    assert.match(markdown({ cost: same }), /dev`: costs the same/);
  });

  it("says that nothing runs yet, and when a price is a most", () => {
    const cost = previewCost({ ...planned, atMost: true }, undefined);
    const text = markdown({ cost });
    assert.match(text, /dev`: \$1\.25 an hour; nothing of it runs now/);
    assert.match(text, /\| an hour \| \$0\.0000 \| at most \$1\.25 \|/);
  });

  it("says the month to come where none is recorded", () => {
    const cost = previewCost(planned, { hourlyUsd: 1, monthlyUsd: undefined });
    assert.match(markdown({ cost }), /\| a month, all 730 h \| not recorded \| \$912\.50 \| \|/);
  });

  it("warns of what goes, and folds the rest away", () => {
    const text = markdown({
      steps: [
        { operation: "create", type: "aws:s3/bucket:Bucket", name: "dev-a" },
        { operation: "replace", type: "aws:ec2/vpc:Vpc", name: "dev-host" },
      ],
    });
    assert.match(text, /> \[!WARNING\]\n> This removes or replaces 1 resource: `dev-host`\./);
    assert.match(text, /<summary>2 resources: 1 create, 1 replace<\/summary>/);
    assert.match(text, /\| create \| `dev-a` \| `aws:s3\/bucket:Bucket` \|/);
  });

  it("stays within what GitHub takes, and whole whatever a name holds", () => {
    const name = "x`|</details>\n# y".padEnd(200, "z");
    const steps = Array.from({ length: 2000 }, () => ({ operation: "create", type: "t", name }));
    const text = markdown({ steps });
    assert.ok(text.length < 65_536);
    assert.match(text, /and 1800 more\.\n\n<\/details>\n$/);
    assert.doesNotMatch(text, /^# y/m);
  });
});

describe("failedPreviewMarkdown", () => {
  it("is the same comment, with the reason in a block that it cannot leave", () => {
    const text = failedPreviewMarkdown("dev", "Over the budget.\n```\n# not a heading");
    assert.ok(text.startsWith(`${commentMarker("dev")}\n### berth \`dev\`: the preview failed\n`));
    assert.match(text, /\n````text\nOver the budget\.\n```\n# not a heading\n````\n$/);
  });
});
