import assert from "node:assert/strict";
import fc from "fast-check";
import {
  deploymentPolicy,
  planUpdate,
  updateLine,
  updateProblems,
  updateStrategies,
  type UpdateRequest,
} from "../../../components/sagemaker-endpoint/endpoint-update.ts";

const one = { minInstances: 1, maxInstances: 1 };
const four = { minInstances: 4, maxInstances: 4 };

function policyOf(request: UpdateRequest, size = four) {
  return deploymentPolicy(planUpdate(request, size));
}

describe("planUpdate", () => {
  it("leaves SageMaker its default when nothing is asked", () => {
    assert.equal(policyOf({}, one), undefined);
  });

  it("watches one instance after it has moved, while the old one waits", () => {
    assert.deepEqual(policyOf({ updateBakeSeconds: 300 }, one), {
      blueGreenUpdatePolicy: {
        trafficRoutingConfiguration: { type: "ALL_AT_ONCE", waitIntervalInSeconds: 0 },
        terminationWaitInSeconds: 300,
      },
    });
  });

  it("moves in steps that SageMaker takes, whatever the number of instances", () => {
    const sizes = fc.integer({ min: 2, max: 100 }).chain((minInstances) =>
      fc.integer({ min: minInstances, max: 100 }).map((maxInstances) => ({
        minInstances,
        maxInstances,
      })),
    );
    fc.assert(
      fc.property(sizes, fc.constantFrom(...updateStrategies), (size, updateStrategy) => {
        const { step, extraInstances } = planUpdate({ updateStrategy }, size);
        assert.ok(extraInstances >= 1 && extraInstances <= size.maxInstances);
        if (step === undefined) return;
        const shareOf = (count: number) =>
          step.type === "INSTANCE_COUNT" ? step.value / count : step.value / 100;
        assert.ok(shareOf(size.minInstances) <= 0.5);
        if (updateStrategy !== "canary") assert.ok(shareOf(size.maxInstances) >= 0.1);
      }),
    );
  });

  it("says what it holds meanwhile", () => {
    const update = planUpdate({ updateStrategy: "rolling", updateBakeSeconds: 60 }, four);
    assert.equal(
      updateLine(update),
      "updates    rolling by 1, alarms watched for 60 s after each step, and back when one goes off; 1 more instance meanwhile",
    );
  });
});

describe("updateProblems", () => {
  it("names all that cannot be done", () => {
    const asked = { updateStrategy: "canary", rollbackAlarms: ["mine"] } as const;
    const problems = updateProblems(asked, one).join("\n");
    assert.match(problems, /canary moves half of the instances at most, and needs minInstances 2/);
    assert.match(problems, /rollbackAlarms: nobody watches them/);
    const long = { updateStrategy: "linear", updateBakeSeconds: 600 } as const;
    assert.match(updateProblems(long, four).join(), /are 2400 s in all/);
    const alarms = Array.from({ length: 10 }, (_, index) => `a${index}`);
    const many = { updateBakeSeconds: 60, rollbackAlarms: alarms };
    assert.match(updateProblems(many, one).join(), /10 are more than the 9/);
    assert.deepEqual(updateProblems({ updateBakeSeconds: 300 }, one), []);
  });
});
