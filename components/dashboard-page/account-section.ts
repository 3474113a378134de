import { usd } from "../plan-figures.ts";
import { html, none, type Html } from "../plan-page/html.ts";
import type { AccountView, OtherRunView, SilentPart } from "./dashboard-view.ts";
import { age, figureNote, figureText, toned } from "./ticking.ts";

function otherRow(run: OtherRunView): Html {
  return html`<tr>
    <th scope="row">${run.stack}</th>
    <td>${toned(run.tone, run.verdict)}</td>
    <td>${run.owner}</td>
    <td>${run.model}</td>
    <td class="number">${usd(run.hourlyUsd)}</td>
    <td class="words">${run.reason}; ${run.things}; ${run.regions}</td>
  </tr>`;
}

function others({ others: runs, title, inventory }: AccountView): Html {
  if (inventory.at === undefined) return none;
  if (runs.length === 0) {
    return html`<p>Nothing is left over, and nothing of berth runs that is not shown above.</p>`;
  }
  return html`<div
      class="scroll"
      role="region"
      aria-label="Other deployments in ${title}"
      tabindex="0"
    >
      <table>
        <caption>
          Left over, or of other clones
        </caption>
        <thead>
          <tr>
            <th scope="col">Stack</th>
            <th scope="col">Verdict</th>
            <th scope="col">Owner</th>
            <th scope="col">Model</th>
            <th scope="col" class="number">An hour</th>
            <th scope="col">Why, and what</th>
          </tr>
        </thead>
        <tbody>
          ${runs.map(otherRow)}
        </tbody>
      </table>
    </div>
    <p class="quiet">
      <code>berth audit --fix</code> removes what is over, after it has looked a second time.
    </p>`;
}

function costs({ costs: rows, title, ledger, totalUsd }: AccountView): Html {
  if (totalUsd === undefined || rows.length === 0) return none;
  return html`<details>
    <summary>What ran cost ${ledger.text}</summary>
    <table>
      <caption>
        By stack in ${title}, by launch records;
        <code>berth cost</code>
        has more
      </caption>
      <thead>
        <tr>
          <th scope="col">Stack</th>
          <th scope="col" class="number">USD</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(
          ({ name, usd: amount }) =>
            html`<tr>
              <th scope="row">${name}</th>
              <td class="number">${amount.toFixed(2)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

/** What an account has besides the shown stacks, and what has been paid there. */
export function accountSection(account: AccountView, index: number, madeAt: string): Html {
  const { title, regions, inventory, untagged } = account;
  const strange =
    untagged.length === 0
      ? none
      : html`<p>GPU instances that are not berth's, and carry no tag of an owner:</p>
          <ul>
            ${untagged.map((line) => html`<li>${line}</li>`)}
          </ul>`;
  return html`<section aria-labelledby="account-${index}" data-key="${title}">
    <h2 id="account-${index}">${title}</h2>
    <p>${figureText(inventory)} in ${regions.join(", ")} ${figureNote(inventory, madeAt)}</p>
    ${others(account)} ${strange} ${costs(account)}
  </section>`;
}

/** Parts that did not answer; nothing when all did. */
export function silentSection(silent: readonly SilentPart[], madeAt: string): Html {
  if (silent.length === 0) return none;
  return html`<section aria-labelledby="silent" data-key="silent">
    <h2 id="silent">Did not answer</h2>
    <p>What stands above without these is what was read before, or what the others tell.</p>
    <ul>
      ${silent.map(
        ({ part, why, at }) => html`<li><strong>${part}</strong>, ${age(at, madeAt)}: ${why}</li>`,
      )}
    </ul>
  </section>`;
}
