// Keeps the dashboard's page up to date: asks the server it came from, and counts in between by the clocks of what it was told.
// It shows text that the server has escaped, and sends its key nowhere else.
(() => {
  const keyName = "berth-dashboard-key";
  const [, given] = /^#([\w-]{43})$/.exec(location.hash) ?? [];
  if (given !== undefined) {
    sessionStorage.setItem(keyName, given);
    // The key is not left in the address, from where it would get into bookmarks and pictures of the screen.
    history.replaceState(null, "", location.pathname);
  }
  const key = sessionStorage.getItem(keyName);
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const pollMs = 2000;
  /** Of so many questions one asks for the whole again, so that no clock is off for long after a sleep. */
  const wholeEvery = 10;

  let revision = -1;
  let asked = 0;
  let arrived = performance.now();
  let timer;
  const statuses = new Map();
  const warned = new Map();

  const main = () => document.getElementById("main");

  function connection(text, lost = false) {
    const place = document.getElementById("connection");
    // Set anew it would be read out anew.
    if (place.textContent !== text) place.textContent = text;
    place.classList.toggle("lost", lost);
  }

  function announce(text) {
    const news = document.getElementById("news");
    const line = document.createElement("p");
    line.textContent = text;
    news.append(line);
    while (news.childElementCount > 5) news.firstElementChild.remove();
  }

  /** Makes one tree like another in place, so that focus, selection and opened parts stay. */
  function become(old, next) {
    if (old.nodeName !== next.nodeName || old.dataset?.key !== next.dataset?.key) {
      old.replaceWith(next);
      return;
    }
    if (old.nodeType !== Node.ELEMENT_NODE) {
      if (old.data !== next.data) old.data = next.data;
      return;
    }
    for (const { name } of [...old.attributes]) {
      if (!next.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    }
    for (const { name, value } of next.attributes) {
      if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    }
    const [olds, nexts] = [[...old.childNodes], [...next.childNodes]];
    nexts.forEach((child, index) => {
      if (index < olds.length) become(olds[index], child);
      else old.append(child);
    });
    for (const child of olds.slice(nexts.length)) child.remove();
  }

  function tellChanges() {
    for (const article of document.querySelectorAll("article[data-status]")) {
      const { key: name, status } = article.dataset;
      const before = statuses.get(name);
      if (before !== undefined && before !== status && status !== "")
        announce(`${name}: ${status}`);
      if (status !== "") statuses.set(name, status);
    }
  }

  /** The two largest units of a stretch of time. */
  function stretch(seconds) {
    const whole = Math.max(0, Math.floor(seconds));
    const parts = [
      [Math.floor(whole / 86400), "d"],
      [Math.floor(whole / 3600) % 24, "h"],
      [Math.floor(whole / 60) % 60, "min"],
      [whole % 60, "s"],
    ];
    const from = parts.findIndex(([count]) => count > 0);
    if (from < 0) return "0 s";
    return parts
      .slice(from, from + 2)
      .map(([count, unit]) => `${count} ${unit}`)
      .join(" ");
  }

  function show(element, text) {
    if (element.textContent !== text) element.textContent = text;
  }

  function warn(name, minutes) {
    const limit = [0, 5, 15].find((each) => minutes <= each);
    const before = warned.get(name) ?? Infinity;
    warned.set(name, limit ?? Infinity);
    if (limit === undefined || limit >= before || (before === Infinity && statuses.size === 0))
      return;
    announce(
      limit === 0 ? `${name}: its deadline is over` : `${name} ends in less than ${limit} minutes`,
    );
  }

  function tick() {
    const since = performance.now() - arrived;
    const wall = Date.parse(main().dataset.wall ?? "") + since;
    for (const element of document.querySelectorAll("[data-age]")) {
      show(element, `${stretch((wall - Date.parse(element.dataset.age)) / 1000)} ago`);
    }
    for (const article of document.querySelectorAll("article[data-now]")) {
      const now = Date.parse(article.dataset.now) + since;
      for (const element of article.querySelectorAll("[data-until]")) {
        const left = (Date.parse(element.dataset.until) - now) / 1000;
        show(element, left > 0 ? `in ${stretch(left)}` : `${stretch(-left)} ago`);
        warn(article.dataset.key, left / 60);
      }
      for (const element of article.querySelectorAll("[data-hourly]")) {
        const hours = Math.max(0, now - Date.parse(element.dataset.since)) / 3600000;
        show(
          element,
          `$${(Number(element.value) + hours * Number(element.dataset.hourly)).toFixed(2)}`,
        );
      }
    }
  }

  function apply({ revision: told, title, html }) {
    const next = new DOMParser().parseFromString(html, "text/html").querySelector("main");
    become(main(), next);
    revision = told;
    arrived = performance.now();
    document.title = title;
    tellChanges();
    tick();
  }

  async function ask() {
    const after = asked % wholeEvery === 0 ? -1 : revision;
    asked += 1;
    const response = await fetch(`/view?after=${after}`, {
      headers: { authorization: `Bearer ${key}` },
      cache: "no-store",
      signal: AbortSignal.timeout(10000),
    });
    if (response.status === 401) {
      connection(
        "The key of this page is not the running one's: open the address that berth printed.",
        true,
      );
      return false;
    }
    if (!response.ok) throw new Error(await response.text());
    if (response.status === 200) apply(await response.json());
    connection("Live");
    return true;
  }

  async function poll() {
    clearTimeout(timer);
    // Nothing is asked of anybody while nobody looks.
    if (document.hidden) return;
    let goOn = true;
    try {
      goOn = await ask();
    } catch {
      connection("No answer from berth: what stands here is from before.", true);
    }
    if (goOn) timer = setTimeout(poll, pollMs);
  }

  if (key === null) {
    connection("The key is missing: open the address that berth printed.", true);
    return;
  }
  document.addEventListener("visibilitychange", poll);
  setInterval(tick, calm ? 10000 : 1000);
  poll();
})();
