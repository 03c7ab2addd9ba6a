// Pages that follow the cluster, and the keyboard. Everything works without it, but stands still.
const $ = (selector, inside = document) => inside.querySelector(selector);
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const made = (html) => {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content.firstElementChild;
};

// ── what the server says of changes ──

let source = null;
let wanted = "";

function follow() {
  stop();
  const main = $("#main");
  if (!main || !main.dataset.at || document.hidden) return;
  wanted = main.dataset.at;
  const query = new URLSearchParams({ at: wanted, stamp: main.dataset.stamp });
  source = new EventSource(`/live?${query}`);
  source.onopen = () => tellLive(true);
  source.onmessage = (event) => take(JSON.parse(event.data));
  source.addEventListener("over", () => { stop(); location.reload(); });
  source.onerror = () => {
    tellLive(false);
    if (source && source.readyState === EventSource.CLOSED) { stop(); setTimeout(check, 2000); }
  };
}

function stop() {
  if (source) source.close();
  source = null;
}

// A stream that was refused: signed out, or the server is away.
async function check() {
  if (document.hidden || source) return;
  try {
    const answer = await fetch(location.href);
    if (answer.status >= 500) setTimeout(check, 3000);
    else if (answer.ok && !answer.redirected) follow();
    else location.reload();
  } catch {
    setTimeout(check, 3000);
  }
}

function tellLive(isOn) {
  const live = $("#live");
  if (!live) return;
  live.classList.toggle("on", isOn);
  const word = $(".word", live);
  const said = isOn ? word.dataset.live : word.dataset.off;
  if (word.textContent !== said) word.textContent = said;
}

function take(found) {
  const isFirst = !$("#main").dataset.had;
  const focused = whereFocusIs();
  $("#main").dataset.stamp = "";
  $("#main").dataset.had = "1";
  for (const [name, html] of Object.entries(found.pieces)) {
    const old = document.getElementById(name);
    if (old) put(old, made(html), isFirst);
  }
  for (const [region, names] of Object.entries(found.orders)) order(region, names, found.pieces);
  if (focused) focused();
  tellTimes();
  tellChosen();
  tellTitle();
}

function put(old, fresh, isFirst) {
  if (!fresh) return;
  for (const one of all("details[open]", old)) {
    const same = all("details", fresh)[all("details", old).indexOf(one)];
    if (same) same.open = true;
  }
  const box = $("input[type=checkbox]", old);
  const same = $("input[type=checkbox]", fresh);
  if (box && same) same.checked = box.checked;
  if (!isFirst && fresh.matches(".row, .pod, .event")) fresh.classList.add("fresh");
  const scrolled = all(".scroll", old).map((one) => one.scrollLeft);
  old.replaceWith(fresh);
  all(".scroll", fresh).forEach((one, at) => { one.scrollLeft = scrolled[at] || 0; });
}

function order(region, names, pieces) {
  const holder = document.getElementById(region);
  if (!holder) return;
  const stays = new Set(names);
  for (const one of [...holder.children]) if (!stays.has(one.id)) one.remove();
  names.forEach((name, at) => {
    const one = document.getElementById(name) || (pieces[name] && made(pieces[name]));
    if (one && holder.children[at] !== one) holder.insertBefore(one, holder.children[at] || null);
  });
}

// A piece that is exchanged takes the focus along.
const FOCUSED = "a, button, input, summary, select, [tabindex]";
function whereFocusIs() {
  const active = document.activeElement;
  const piece = active && active.closest("[id]");
  if (!piece || active === document.body || active.id === "main") return null;
  const number = active === piece ? -1 : all(FOCUSED, piece).indexOf(active);
  const href = active.getAttribute("href");
  return () => {
    if (document.activeElement === active) return;
    const now = document.getElementById(piece.id);
    if (!now) return;
    const inside = all(FOCUSED, now);
    const next = number < 0 ? now : inside.find((one) => href && one.getAttribute("href") === href) || inside[number];
    if (next) next.focus({ preventScroll: true });
  };
}

// ── times ──

const SIZES = [[86400, "d", 3600, "h"], [3600, "h", 60, "min"], [60, "min", 1, "s"]];
const isChinese = document.documentElement.lang.startsWith("zh");

function lasting(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  for (const [size, name, inner, innerName] of SIZES) {
    if (whole >= size) {
      const rest = Math.floor((whole % size) / inner);
      return rest && whole < 10 * size ? `${Math.floor(whole / size)} ${name} ${rest} ${innerName}` : `${Math.floor(whole / size)} ${name}`;
    }
  }
  return `${whole} s`;
}

function tellTimes() {
  const now = Date.now();
  for (const one of all("time[data-ago], time[data-until]")) {
    const at = Date.parse(one.dateTime);
    const said = "ago" in one.dataset ? lasting((now - at) / 1000) : (isChinese ? "还有 " : "in ") + lasting((at - now) / 1000);
    if (one.textContent !== said) one.textContent = said;
  }
}

// ── going from page to page ──

async function go(address, isNew = true) {
  const answer = await fetch(address);
  if (answer.redirected && new URL(answer.url).pathname === "/enter") { location.assign(address); return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const main = $("#main");
  const fresh = $("#main", page);
  if (!fresh || !fresh.dataset.at) { location.assign(address); return; }
  main.dataset.at = fresh.dataset.at;
  main.dataset.stamp = fresh.dataset.stamp;
  for (const region of all(".region", main)) {
    const same = fresh.querySelector(`#${region.id}`);
    if (same && !region.contains(document.activeElement)) region.innerHTML = same.innerHTML;
    else if (same) exchange(region, [...same.children]);
  }
  const state = $("input[name=state]", main);
  const freshState = $("input[name=state]", fresh);
  if (state && freshState) state.value = freshState.value;
  if (isNew) history.replaceState({}, "", address);
  tellTimes();
  tellChosen();
  follow();
}

// Around whatever has the focus: what is being typed or chosen stays, a link becomes what it leads to now.
function exchange(region, fresh) {
  const focused = whereFocusIs();
  const isBeingSet = document.activeElement.matches("input, select, textarea");
  for (const one of fresh) {
    const old = document.getElementById(one.id);
    if (old && !(isBeingSet && old.contains(document.activeElement)) && old.outerHTML !== one.outerHTML) put(old, one.cloneNode(true), true);
  }
  order(region.id, fresh.map((one) => one.id), Object.fromEntries(fresh.map((one) => [one.id, one.outerHTML])));
  if (focused) focused();
}

let typing = 0;
function filter(form) {
  const said = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value) said.append(name, value);
  const query = said.toString();
  go(form.getAttribute("action") + (query ? `?${query}` : ""));
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-filters]");
  if (!form) { tellChosen(); return; }
  clearTimeout(typing);
  typing = setTimeout(() => filter(form), event.target.matches("input[type=search]") ? 180 : 0);
});

// ── what it will do, shown over the page ──

const sheet = () => $("#sheet");

async function show(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { "x-part": "sheet" } });
  if (answer.redirected) { location.assign("/enter"); return; }
  const text = await answer.text();
  if (text.includes("<html")) {
    const page = new DOMParser().parseFromString(text, "text/html");
    sheet().replaceChildren(...$(".paper", page).children);
    const title = $("h1, h2", sheet());
    if (title) title.id = "sheet-title";
  } else {
    sheet().innerHTML = text;
  }
  if (!sheet().open) sheet().showModal();
  const first = $("[autofocus], .button", sheet());
  if (first) first.focus();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (event.target.closest("[data-keys]")) { closeMenus(); $("#keys").showModal(); return; }
  if (event.target.closest("[data-none]")) { for (const one of chosen()) one.checked = false; tellChosen(); return; }
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target) || link) menu.open = false;
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (link.matches("[data-sheet]")) { event.preventDefault(); show(link.href); }
  else if (link.matches("[data-close]") && link.closest("dialog")) { event.preventDefault(); sheet().close(); }
  else if (link.matches(".chip, [data-go]")) { event.preventDefault(); go(link.getAttribute("href")); }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.matches("[data-filters]")) { event.preventDefault(); filter(form); return; }
  if (!form.matches("[data-sheet]")) return;
  event.preventDefault();
  const said = new URLSearchParams(new FormData(form, event.submitter));
  for (const button of all("button", form)) if (form.method === "post") button.disabled = true;
  if (form.method === "post") show(form.getAttribute("action"), { method: "POST", body: said });
  else show(`${form.getAttribute("action")}?${said}`);
});

// ── several at once ──

const chosen = () => all("#rows input[type=checkbox]:checked");

function tellChosen() {
  const bar = $("[data-chosen]");
  if (!bar) return;
  const count = chosen().length;
  bar.hidden = count === 0;
  $("[data-count]", bar).textContent = count;
}

// How many releases need a person stands in the title, so that it is seen in a tab among others.
const title = document.title;

function tellTitle() {
  const count = Number($(".c-person .count")?.textContent || 0);
  const said = count ? `(${count}) ${title}` : title;
  if (document.title !== said) document.title = said;
}

// ── keyboard ──

function closeMenus() {
  for (const menu of all("details.menu[open]")) menu.open = false;
}

function step(by) {
  const links = all("[data-open]");
  if (!links.length) return;
  const at = links.findIndex((one) => one.closest("[data-row]").contains(document.activeElement));
  const next = at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by));
  links[next].focus();
}

function select() {
  const row = document.activeElement.closest("[data-row]");
  const box = row && $("input[type=checkbox]", row);
  if (box) { box.checked = !box.checked; tellChosen(); }
}

function back() {
  const open = all("details.menu[open]");
  if (open.length) { closeMenus(); $("summary", open[0]).focus(); return; }
  const input = $(".search input");
  if (document.activeElement === input) { input.blur(); return; }
  const up = $(".crumb a");
  if (up) location.assign(up.href);
}

const KEYS = {
  "/": () => { const input = $(".search input"); if (input) { input.focus(); input.select(); } },
  "?": () => $("#keys").showModal(),
  ArrowDown: () => step(1), j: () => step(1),
  ArrowUp: () => step(-1), k: () => step(-1),
  x: select,
  Escape: back,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || $("dialog[open]")) return;
  const isTyping = event.target.matches("input:not([type=checkbox]), select, textarea");
  const isMove = event.target.matches(".search input") && ["ArrowDown", "Escape"].includes(event.key);
  if (isTyping && !isMove) return;
  if (event.target.closest(".gridbox, summary") && !event.target.closest("[data-open]") && event.key.startsWith("Arrow")) return;
  const act = KEYS[event.key];
  if (act) { event.preventDefault(); act(); }
});

document.addEventListener("visibilitychange", () => (document.hidden ? (stop(), tellLive(false)) : follow()));
addEventListener("pagehide", stop);
addEventListener("pageshow", () => { tellTimes(); tellChosen(); tellTitle(); follow(); });
setInterval(tellTimes, 1000);
