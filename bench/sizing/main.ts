import { estimators } from "./estimators.ts";
import { parallelResults } from "./parallel.ts";
import { catalogueOfReferences, isHeldOut, loadReferences, type Measured } from "./reference.ts";
import { errorOf, score, scoreDerived, scoreOutcomes } from "./score.ts";

/**
 * Errors of the estimators against measured figures, by task, engine and source: `npm run bench:sizing`. With `--rows` each
 * row that is not set aside is printed with our error.
 */
const catalogue = catalogueOfReferences();
const { measured, outcomes, earlier } = loadReferences();

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`.padStart(8);
}

function line(title: string, rows: readonly Measured[]): void {
  for (const estimator of estimators) {
    const result = score(rows, estimator, catalogue);
    if (result === undefined) continue;
    const { medianError, p90Error, medianBias } = result;
    const figures = `median ${percent(medianError)}  p90 ${percent(p90Error)}  bias ${percent(medianBias)}`;
    console.log(
      `${title.padEnd(34)} ${estimator.name.padEnd(14)} ${String(result.rows).padStart(4)} rows  ${figures}`,
    );
  }
}

const serving = measured.filter((row) => row.serving !== undefined);
const whole = new Set(["process", "allocated", "non-kv"]);
const training = measured.filter((row) => row.training !== undefined);
console.log(`${measured.length} measured figures and ${outcomes.length} outcomes\n`);
for (const [task, rows] of [
  ["serving", serving],
  ["fine-tuning", training],
] as const) {
  line(`${task}, all`, rows);
  line(`${task}, set aside`, rows.filter(isHeldOut));
  const wholes = rows.filter(({ measures }) => whole.has(measures));
  line(`${task}, whole figures`, wholes);
  line(`${task}, whole figures set aside`, wholes.filter(isHeldOut));
  const kinds = new Set(
    rows.map(({ serving: served, training: trained }) => served?.engine ?? trained?.method),
  );
  for (const kind of kinds) {
    line(
      `${task}, ${kind}`,
      rows.filter((row) => (row.serving?.engine ?? row.training?.method) === kind),
    );
  }
  for (const file of new Set(rows.map((row) => row.file))) {
    line(
      `${task}, ${file}`,
      rows.filter((row) => row.file === file),
    );
  }
  console.log();
}
for (const [title, rows] of [
  ["all", outcomes],
  ["set aside", outcomes.filter(isHeldOut)],
  ["earlier releases, not counted", earlier],
] as const) {
  const { right, rows: count, wronglyFitting, wronglyRefused } = scoreOutcomes(rows, catalogue);
  console.log(`verdicts, ${title}: ${right} of ${count} right`);
  if (wronglyFitting.length > 0)
    console.log(`  called to fit, ran out: ${wronglyFitting.join(", ")}`);
  if (wronglyRefused.length > 0) console.log(`  refused, and ran: ${wronglyRefused.join(", ")}`);
}
for (const [title, rows] of [
  ["all", measured],
  ["set aside", measured.filter(isHeldOut)],
] as const) {
  const { cells, right, tooLarge, wronglyFitting, wronglyComfortable } = scoreDerived(
    rows,
    catalogue,
  );
  console.log(`figures against 8 sizes of GPU, ${title}: ${right} of ${cells} right`);
  console.log(
    `  of ${tooLarge} out of memory by more than 3 %, ${wronglyFitting.length} called to fit, ${wronglyComfortable.length} comfortable`,
  );
  for (const id of wronglyFitting) console.log(`    ${id}`);
}
const parallel = parallelResults(catalogue);
const within = parallel.filter((row) => row.within).length;
const judged = parallel.filter(({ fits }) => fits !== undefined);
const fitting = judged.filter(({ fits }) => fits === true).length;
console.log(
  `trainings over many GPUs: ${within} of ${parallel.length} steps in the range, ${fitting} of ${judged.length} that ran called to fit`,
);
for (const { id, seconds, range, totalMiB } of parallel) {
  const ours = `${range.low.toFixed(2)} to ${range.high.toFixed(2)} s`;
  console.log(
    `  ${id.padEnd(28)} ${(seconds?.toFixed(2) ?? "not told").padStart(8)} s  ${ours.padStart(20)}  ${(totalMiB / 1024).toFixed(1).padStart(6)} GiB`,
  );
}
if (process.argv.includes("--rows")) {
  for (const row of measured.filter((candidate) => !isHeldOut(candidate))) {
    const [first] = estimators;
    const error = first === undefined ? undefined : errorOf(row, first, catalogue);
    console.log(
      `${row.id.padEnd(52)} ${row.gib.toFixed(2).padStart(8)} GiB ${percent(error ?? Number.NaN)}`,
    );
  }
}
