import { createHash } from "node:crypto";
import { counted } from "../counted.ts";
import { usd } from "../plan-figures.ts";
import { Html, html, none } from "../plan-page/html.ts";
import { accountSection, silentSection } from "./account-section.ts";
import { dashboardStyle } from "./dashboard-style.ts";
import type { DashboardView } from "./dashboard-view.ts";
import { stackCard } from "./stack-card.ts";

function runningText({ stacks, hourlyUsd }: DashboardView): string {
  const running = stacks.filter(({ cost }) => (cost?.hourlyUsd ?? 0) > 0).length;
  return `${running} of ${counted(stacks.length, "stack")} running, ${usd(hourlyUsd)} an hour`;
}

/** The title of the page: what runs, first. */
export function dashboardTitle(view: DashboardView): string {
  return view.listed ? `${runningText(view)} - berth` : "berth";
}

function summary(view: DashboardView): Html {
  if (!view.listed) return html`<p>The list of stacks is being read.</p>`;
  return html`<p><strong>${runningText(view)}</strong></p>`;
}

function emptyLine({ stacks, listed }: DashboardView): Html {
  if (!listed || stacks.length > 0) return none;
  return html`<p>No stack has a state in this backend. Make one with <code>berth up</code>.</p>`;
}

function idleLine({ idle }: DashboardView): Html {
  if (idle.length === 0) return none;
  return html`<p class="quiet">With a file, and without a state: ${idle.join(", ")}.</p>`;
}

/** What changes while the dashboard is watched: the content of its main part. Every text in it is escaped. */
export function dashboardMain(view: DashboardView): Html {
  const { stacks, accounts, silent, madeAt } = view;
  return html`<main id="main" tabindex="-1" data-wall="${madeAt}">
    ${summary(view)}
    <section aria-labelledby="stacks" data-key="stacks">
      <h2 id="stacks">Stacks</h2>
      ${stacks.map((stack) => stackCard(stack, madeAt))} ${emptyLine(view)} ${idleLine(view)}
    </section>
    ${accounts.map((account, index) => accountSection(account, index, madeAt))}
    ${silentSection(silent, madeAt)}
  </main>`;
}

function digest(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}

/** What may be loaded: this page's own style, its own script where it has one, and answers of where it came from. */
export function contentPolicy(script?: string): string {
  const live = script === undefined ? [] : [`script-src ${digest(script)}`, "connect-src 'self'"];
  const none = ["default-src 'none'", "base-uri 'none'", "form-action 'none'"];
  return [...none, `style-src ${digest(dashboardStyle)}`, ...live].join("; ");
}

interface PageParts {
  readonly title: string;
  /** Said beside the heading. */
  readonly notice: Html;
  readonly main: Html;
  readonly script?: string;
}

function page({ title, notice, main, script }: PageParts): string {
  const code = script === undefined ? none : new Html(`<script>${script}</script>`);
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="Content-Security-Policy" content="${contentPolicy(script)}" />
        <meta name="referrer" content="no-referrer" />
        <title>${title}</title>
        ${new Html(`<style>${dashboardStyle}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">Skip to the stacks</a>
        <header>
          <h1>berth dashboard</h1>
          ${notice}
        </header>
        ${main}
        <footer>
          It only reads: nothing here makes, ends or prolongs anything. Figures are estimates from
          public prices; the bill decides.
        </footer>
        ${code}
      </body>
    </html>`.markup;
}

/** A view as one file that needs no network and runs no script. */
export function staticPage(view: DashboardView): string {
  const notice = html`<p class="connection">
    As of <time datetime="${view.madeAt}">${view.madeAt.replace(/\.\d+Z$/, "Z")}</time>; it does not
    change by itself.
  </p>`;
  return page({ title: dashboardTitle(view), notice, main: dashboardMain(view) });
}

/**
 * The page that shows itself what the server tells. It holds no figure of its own.
 *
 * @param script what asks the server and keeps the page up to date
 */
export function livePage(script: string): string {
  const notice = html`<p class="connection" id="connection" role="status">Connecting ...</p>
    <div class="hidden" id="news" role="log" aria-label="Changes"></div>
    <noscript
      ><p>It needs JavaScript; <code>berth dashboard --once file.html</code> does not.</p></noscript
    >`;
  const main = html`<main id="main" tabindex="-1" aria-busy="true"></main>`;
  return page({ title: "berth", notice, main, script });
}
