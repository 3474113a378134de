import assert from "node:assert/strict";
import { monthlyCost } from "../../../components/cost/monthly-cost.ts";
import { previewedCostLines } from "../../../components/cost/previewed-cost-text.ts";
import {
  previewCost,
  type PlannedSpending,
  type RunningSpending,
} from "../../../components/cost/previewed-cost.ts";
import { parseOfficeHours } from "../../../components/lease/office-hours.ts";

const office = parseOfficeHours("Mon-Fri 09:00-17:00 Europe/Berlin");

function lines(change: Partial<PlannedSpending>, running?: RunningSpending): string {
  const month = monthlyCost(1.2, { leaseHours: undefined, officeHours: office });
  const planned = { hourlyUsd: 1.2, atMost: false, month, region: "us-east-1", weightsGiB: 14 };
  return previewedCostLines(previewCost({ ...planned, ...change }, running)).join("\n");
}

describe("previewCost", () => {
  it("says a month by the schedule, and what all of a month would cost", () => {
    assert.match(
      lines({}),
      /^month {6}\$208\.57 for 173\.8 h of office hours; \$876\.00 if it ran/,
    );
    assert.match(
      lines({ month: monthlyCost(1.2, { leaseHours: 4 }), atMost: true }),
      /^month {6}at most \$4\.80 for one lease of 4 h; /,
    );
    assert.match(
      lines({ month: monthlyCost(1.2, { leaseHours: undefined }) }),
      /^month {6}\$876\.00 for all 730 h\n/,
    );
  });

  it("says what is paid once, and the way from another region", () => {
    assert.match(lines({}), /once {7}\$0\.00\d\d to fetch the weights; in S3 they cost \$0\.\d+/);
    assert.match(
      lines({ weightsRegion: "eu-west-1" }),
      /once {7}\$0\.3\d+ to fetch the weights, most of it for the way/,
    );
    assert.match(
      lines({ weightsRegion: "eu-west-1", hosts: 3 }),
      /once {7}\$(0\.9|1\.)\d+ to fetch the weights/,
    );
  });

  it("says the difference to what runs, an hour and a month", () => {
    assert.match(lines({}), /difference all of it: nothing of this stack runs now$/);
    assert.match(
      lines({}, { hourlyUsd: 0.8, monthlyUsd: 300 }),
      /difference \+\$0\.4000 an hour \(\$0\.8000 now, \$1\.20 then\); -\$91\.43 a month \(\$300\.00 now, \$208\.57 then\)$/,
    );
    assert.match(
      lines({}, { hourlyUsd: 1.2, monthlyUsd: undefined }),
      /difference none: it costs \$1\.20 an hour already$/,
    );
  });
});
