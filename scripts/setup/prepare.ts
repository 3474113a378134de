import { chooseTier } from "../../offline/cloud/machines/tiers.ts";
import { motoPython } from "../../offline/cloud/moto/environment.ts";
import { explainError } from "../cli/command-error.ts";

// Makes, once and with words, what the tests would otherwise make in silence in the middle of one of them.
const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};
try {
  await motoPython(say);
  const tier = await chooseTier("auto");
  await tier?.prepare(say);
} catch (error) {
  const { text } = explainError(error);
  say(
    `Not everything that the tests use could be set up; those that need it will say so.\n${text}`,
  );
  if (process.env["BERTH_REQUIRE_ALL_TIERS"] === "1") process.exitCode = 1;
}
