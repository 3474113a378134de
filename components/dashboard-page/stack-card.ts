import { figure as digits, gib, usd } from "../plan-figures.ts";
import { html, none, type Html } from "../plan-page/html.ts";
import type { ChoiceView, Figure, GpuView, StackView, StepView, Tone } from "./dashboard-view.ts";
import { costSoFar, countdown, figureNote, figureText, toned } from "./ticking.ts";

function fact(name: string, value: Html | string, note: Html | string = ""): Html {
  const small =
    typeof note === "string" ? (note === "" ? none : html`<small>${note}</small>`) : note;
  return html`<div>
    <dt>${name}</dt>
    <dd>${value}${small}</dd>
  </div>`;
}

function figureFact(name: string, figure: Figure, madeAt: string): Html {
  return fact(name, figureText(figure), figureNote(figure, madeAt));
}

function endFact({ expiresAt, now, cost }: StackView): Html {
  if (expiresAt === undefined) return none;
  const note = cost === undefined ? "" : "it costs until it is taken down";
  if (expiresAt === "") return fact("Ends", "never by itself", note);
  const at = html`<small
    ><time datetime="${expiresAt}">${expiresAt}</time> by the account's clock</small
  >`;
  return fact("Ends", countdown(expiresAt, now), at);
}

function costFact({ cost, now, hourlyUsd }: StackView): Html {
  if (cost === undefined) return none;
  const rate = hourlyUsd === undefined ? "" : `${usd(hourlyUsd)} an hour; `;
  return fact("Cost so far", costSoFar(cost, now), `${rate}by ${cost.by}`);
}

/** What an endpoint with several models or variants is made of. */
function servedFact({ served }: StackView): Html {
  if (served.length === 0) return none;
  return html`<div>
    <dt>Serves</dt>
    <dd>
      <ul>
        ${served.map(({ what, text }) => html`<li>${what} ${text}</li>`)}
      </ul>
    </dd>
  </div>`;
}

function gpuMeter({ name, utilisation, memoryUsedMiB, memoryTotalMiB }: GpuView): Html {
  const memory =
    memoryUsedMiB === undefined || memoryTotalMiB === undefined
      ? ""
      : `${gib(memoryUsedMiB)} of ${gib(memoryTotalMiB)}`;
  const meter =
    utilisation === undefined
      ? none
      : html`<meter min="0" max="100" value="${utilisation}" aria-label="Utilisation of ${name}">
          ${utilisation} %
        </meter>`;
  return html`${meter}<small>${name}${memory === "" ? "" : `, ${memory} used`}</small>`;
}

function gpuFact({ gpuFigure, gpus }: StackView, madeAt: string): Html {
  const note = html`${gpus.map(gpuMeter)}${figureNote(gpuFigure, madeAt)}`;
  return fact("GPU in use", figureText(gpuFigure), note);
}

function choiceSection({ choice, name }: StackView): Html {
  if (choice === undefined) return none;
  return html`<details>
    <summary>Why ${choiceTitle(choice)}</summary>
    <p>${choice.reason}</p>
    <div class="scroll" role="region" aria-label="Ladder of ${name}" tabindex="0">
      <table>
        <caption>
          The ladder of ${name}: tried in this order
        </caption>
        <thead>
          <tr>
            <th scope="col">Type</th>
            <th scope="col">GPUs</th>
            <th scope="col" class="number">$ an hour</th>
            <th scope="col">Outcome</th>
          </tr>
        </thead>
        <tbody>
          ${choice.rungs.map(
            ({ instanceType, gpus, hourlyUsd, outcome }) =>
              html`<tr>
                <th scope="row">${instanceType}</th>
                <td>${gpus}</td>
                <td class="number">${hourlyUsd === undefined ? "?" : hourlyUsd.toFixed(4)}</td>
                <td class="words">${outcome}</td>
              </tr>`,
          )}
        </tbody>
      </table>
    </div>
    ${
      choice.refused.length === 0
        ? none
        : html`<p>Cheaper, and not taken:</p>
            <ul>
              ${choice.refused.map((line) => html`<li>${line}</li>`)}
            </ul>`
    }
  </details>`;
}

function choiceTitle({ rungs }: ChoiceView): string {
  const runs = rungs.find(({ outcome }) => outcome === "runs") ?? rungs[0];
  return runs === undefined ? "this type" : `${runs.instanceType}: ${runs.gpus}`;
}

const stepTones: Readonly<Record<StepView["state"], Tone>> = {
  "under way": "busy",
  done: "good",
  failed: "bad",
  "cut off": "mind",
};

function stepRow({ name, where, state, detail, share }: StepView): Html {
  const progress =
    share === undefined || state !== "under way"
      ? none
      : html`<progress max="100" value="${digits(share * 100)}" aria-label="Progress of ${name}">
          ${digits(share * 100)} %
        </progress>`;
  return html`<tr>
    <th scope="row">${name}</th>
    <td>${where}</td>
    <td>${toned(stepTones[state], state)}</td>
    <td class="words">${detail}${progress}</td>
  </tr>`;
}

function stepSection({ steps, name }: StackView): Html {
  if (steps.length === 0) return none;
  const open = steps.some(({ state }) => state !== "done");
  const table = html`<div class="scroll" role="region" aria-label="Steps of ${name}" tabindex="0">
    <table>
      <caption>
        Steps of ${name}
      </caption>
      <thead>
        <tr>
          <th scope="col">Step</th>
          <th scope="col">Where</th>
          <th scope="col">State</th>
          <th scope="col">Last words</th>
        </tr>
      </thead>
      <tbody>
        ${steps.map(stepRow)}
      </tbody>
    </table>
  </div>`;
  if (open) return table;
  return html`<details>
    <summary>Steps: ${steps.length === 1 ? "the one is" : `all ${steps.length} are`} done</summary>
    ${table}
  </details>`;
}

function facts(stack: StackView, madeAt: string): Html {
  const { instanceType, serving, answer } = stack;
  const served = ["GPU host", "SageMaker endpoint", "own machine"].includes(stack.target);
  const launched = served && stack.target !== "own machine";
  return html`<dl class="facts">
    ${endFact(stack)} ${costFact(stack)}
    ${instanceType === "" ? none : fact("Type", instanceType, `${stack.target} in ${stack.region}`)}
    ${launched ? figureFact("Host or endpoint", serving, madeAt) : none} ${servedFact(stack)}
    ${served ? figureFact("Model answers", answer, madeAt) : none}
    ${served ? gpuFact(stack, madeAt) : none}
  </dl>`;
}

function attention({ attention: lines, name }: StackView): Html {
  if (lines.length === 0) return none;
  return html`<ul class="attention" aria-label="What to mind about ${name}">
    ${lines.map((line) => html`<li>${line}</li>`)}
  </ul>`;
}

/** One stack, as an article with a heading. */
export function stackCard(stack: StackView, madeAt: string): Html {
  const { name, env, owner, model, emulated, status, now } = stack;
  const about = [
    model === "" ? "" : `model ${model}`,
    owner === "" ? "" : `owner ${owner}`,
    `environment ${env}`,
    emulated ? "emulated AWS" : "",
  ];
  return html`<article
    class="stack"
    aria-labelledby="stack-${name}"
    data-key="${name}"
    data-now="${now}"
    data-status="${status.text}"
  >
    <header>
      <h3 id="stack-${name}">${name}</h3>
      <span>${figureText(status)}</span>
      <span>${figureNote(status, madeAt)}</span>
    </header>
    <p>${about.filter((part) => part !== "").join("; ")}</p>
    ${attention(stack)} ${facts(stack, madeAt)} ${stepSection(stack)} ${choiceSection(stack)}
  </article>`;
}
