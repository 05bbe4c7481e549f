/**
 * The script of the pages. They are whole without it; it keeps them fresh, and adds copying, zooming and keys.
 *
 * It never makes HTML of what it is sent: a change makes it ask for the page again, and take over what differs.
 *
 * @module
 */

/** The script. */
export const SCRIPT = `"use strict";
(() => {
const main = document.getElementById("main");
const status = document.getElementById("live");
const body = document.body;

// --- staying fresh: an event marks the page stale, a stale page is fetched again, at most once a second or so
let source, stale = false, busy = false, timer, pause = 1000;
const say = (text, on) => {
  if (!status || status.textContent === text) return;
  status.textContent = text;
  status.className = "live " + (on ? "on" : "off");
};
const connect = () => {
  if (source || !body.dataset.events || document.hidden) return;
  source = new EventSource(body.dataset.events);
  // What happened before the connection stood is not sent: the page looks once more.
  source.onopen = () => { say("Live", true); touch(); };
  source.onmessage = touch;
  source.addEventListener("missed", touch);
  source.onerror = () => {
    say("Reconnecting", false);
    if (source.readyState === EventSource.CLOSED) { disconnect(); setTimeout(connect, 5000); }
  };
};
const disconnect = () => { if (source) { source.close(); source = undefined; } };
const touch = () => {
  stale = true;
  if (timer === undefined && !busy) timer = setTimeout(refresh, pause);
};
const isEditing = () => main.contains(document.activeElement) && /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
async function refresh() {
  timer = undefined;
  if (document.hidden || !main || !("live" in main.dataset)) return;
  if (isEditing() || String(getSelection()).length > 0) { timer = setTimeout(refresh, 2000); return; }
  busy = true;
  stale = false;
  const began = performance.now();
  try {
    const answer = await fetch(location.href, { headers: { "x-refresh": "1" }, cache: "no-store" });
    if (answer.ok) {
      const next = new DOMParser().parseFromString(slim(await answer.text()), "text/html");
      const fresh = next.getElementById("main");
      if (fresh && "live" in fresh.dataset) {
        held = rowLink(document.activeElement?.closest("tr"));
        morph(main, fresh);
        document.title = next.title;
        arrange();
      }
    }
  } catch { /* the connection's own state says so */ }
  busy = false;
  // A page that is dear to make is made less often.
  pause = Math.min(10000, Math.max(1000, 8 * (performance.now() - began)));
  if (stale) touch();
}
// Rows that have an id and are as they were are not parsed again: what is parsed each second is garbage each second.
let digests = new Map();
function slim(html) {
  const before = digests;
  digests = new Map();
  return html.replace(/<(li|tr) id="([^"]+)"[^]*?<\\/\\1>/g, (row, tag, id) => {
    const digest = digestOf(row);
    digests.set(id, digest);
    if (before.get(id) !== digest || !document.getElementById(id)) return row;
    return "<" + tag + ' id="' + id + '" data-same></' + tag + ">";
  });
}
function digestOf(text) {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return text.length + ":" + hash;
}
// Who has gone to a row stays with what it is about, wherever it moves. Not the property id: a form's is its field
// of that name.
let held;
const rowLink = (row) => row && row.querySelector("a[data-row]")?.getAttribute("href");
const idOf = (node) => {
  if (node.nodeType !== 1) return "";
  return node.getAttribute("id") || (held && node.nodeName === "TR" && rowLink(node) === held ? "held" : "");
};
// No collections of children and no nodes of attributes: a page that is live would make thousands of them a second.
function morph(old, fresh) {
  for (const name of old.getAttributeNames()) {
    if (!fresh.hasAttribute(name) && !(name === "open" || name === "data-kept")) old.removeAttribute(name);
  }
  for (const name of fresh.getAttributeNames()) {
    if (name === "open" || (name === "viewBox" && old.hasAttribute("data-kept"))) continue;
    const value = fresh.getAttribute(name);
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const known = keep(old, fresh);
  let at = old.firstChild;
  for (let child = fresh.firstChild; child; child = child.nextSibling) {
    const same = known && known.get(idOf(child));
    if (same && same !== at) old.insertBefore(same, at);
    const here = same || at;
    if (here && here.nodeType === child.nodeType && here.nodeName === child.nodeName && idOf(here) === idOf(child)) {
      if (child.nodeType === 1) { if (!child.hasAttribute("data-same")) morph(here, child); }
      else if (here.nodeValue !== child.nodeValue) here.nodeValue = child.nodeValue;
      at = here.nextSibling;
    } else {
      old.insertBefore(document.importNode(child, true), at);
    }
  }
  while (at) { const next = at.nextSibling; at.remove(); at = next; }
}
// The children that have an id and stay. What is gone goes first: all that follows it would be moved otherwise.
function keep(old, fresh) {
  let wanted, known;
  for (let child = fresh.firstElementChild; child; child = child.nextElementSibling) {
    const id = idOf(child);
    if (id) (wanted ??= new Set()).add(id);
  }
  for (let child = old.firstElementChild, next; child; child = next) {
    next = child.nextElementSibling;
    const id = idOf(child);
    if (id && !(wanted && wanted.has(id))) child.remove();
    else if (id) (known ??= new Map()).set(id, child);
  }
  return known;
}
document.addEventListener("visibilitychange", () => {
  if (document.hidden) disconnect();
  else connect();
});
addEventListener("pagehide", disconnect);
// The first time too, when the page has been seen: a connection is not needed for that.
addEventListener("pageshow", connect);

// --- times that pass
const span = (ms) => {
  const s = Math.round(Math.abs(ms) / 1000);
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s % 86400 / 3600) + " h";
};
const skew = Number(body.dataset.now) - Date.now();
function arrange() {
  for (const time of document.querySelectorAll("time[data-relative]")) {
    const difference = Date.parse(time.dateTime) - Date.now() - skew;
    const text = difference >= 1500 ? "in " + span(difference) : difference > -1500 ? "now" : span(difference) + " ago";
    if (time.textContent !== text) time.textContent = text;
  }
}
setInterval(() => { if (!document.hidden) arrange(); }, 1000);

// --- copying
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const label = button.textContent;
  try { await navigator.clipboard.writeText(button.dataset.copy); button.textContent = "Copied"; }
  catch { button.textContent = "Not copied"; }
  setTimeout(() => { button.textContent = label; }, 1500);
});

// --- a link to folded data unfolds it
const unfold = () => {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (target && target.tagName === "DETAILS") target.open = true;
};
addEventListener("hashchange", unfold);
unfold();

// --- zooming a graph: buttons, wheel with a key held, dragging
const views = new WeakMap();
function zoomable(stage) {
  const svg = stage.querySelector("svg.graph");
  if (!svg) return undefined;
  let view = views.get(svg);
  if (!view) {
    const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
    view = { svg, stage, width, height, x: 0, y: 0, scale: 1 };
    views.set(svg, view);
  }
  return view;
}
// where an execution is comes into sight
function centre(stage) {
  const at = "follow" in stage.dataset && stage.querySelector(".node.is-running,.node.is-waiting,.node.is-failed,.node.is-cancelled");
  const box = stage.getBoundingClientRect();
  stage.scrollLeft = (stage.scrollWidth - stage.clientWidth) / 2;
  if (!at || stage.scrollHeight <= stage.clientHeight) return;
  const spot = at.getBoundingClientRect();
  stage.scrollTop += spot.top + spot.height / 2 - box.top - box.height / 2;
  stage.scrollLeft += spot.left + spot.width / 2 - box.left - box.width / 2;
}
for (const stage of document.querySelectorAll(".stage")) centre(stage);
function show(view) {
  const { svg, stage, scale } = view;
  const width = view.width / scale, height = view.height / scale;
  view.x = Math.min(Math.max(view.x, -width / 2), view.width - width / 2);
  view.y = Math.min(Math.max(view.y, -height / 2), view.height - height / 2);
  const isWhole = scale === 1;
  if (isWhole) { view.x = 0; view.y = 0; svg.removeAttribute("data-kept"); }
  else svg.setAttribute("data-kept", "");
  svg.setAttribute("viewBox", [view.x, view.y, width, height].map((part) => part.toFixed(1)).join(" "));
  stage.classList.toggle("zoomed", !isWhole);
}
function zoom(view, factor, x = 0.5, y = 0.5) {
  const before = view.scale;
  view.scale = Math.min(6, Math.max(1, before * factor));
  view.x += view.width * (1 / before - 1 / view.scale) * x;
  view.y += view.height * (1 / before - 1 / view.scale) * y;
  show(view);
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-zoom]");
  const stage = button && document.getElementById(button.getAttribute("aria-controls"));
  const view = stage && zoomable(stage);
  if (!view) return;
  const factor = Number(button.dataset.zoom);
  if (factor === 0) { view.scale = 1; show(view); } else zoom(view, factor);
});
document.addEventListener("wheel", (event) => {
  const stage = event.target.closest(".stage");
  if (!stage || !(event.ctrlKey || event.metaKey)) return;
  const view = zoomable(stage);
  if (!view) return;
  event.preventDefault();
  const box = view.svg.getBoundingClientRect();
  zoom(view, event.deltaY < 0 ? 1.2 : 1 / 1.2, (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
}, { passive: false });
document.addEventListener("pointerdown", (event) => {
  const stage = event.target.closest(".stage.zoomed");
  const view = stage && zoomable(stage);
  if (!view || event.button !== 0) return;
  let { clientX, clientY } = event, moved = 0;
  const move = (next) => {
    const box = view.svg.getBoundingClientRect();
    moved += Math.abs(next.clientX - clientX) + Math.abs(next.clientY - clientY);
    view.x -= (next.clientX - clientX) / box.width * view.width / view.scale;
    view.y -= (next.clientY - clientY) / box.height * view.height / view.scale;
    ({ clientX, clientY } = next);
    show(view);
  };
  const end = () => {
    removeEventListener("pointermove", move);
    if (moved > 6) stage.addEventListener("click", (click) => click.preventDefault(), { once: true, capture: true });
  };
  addEventListener("pointermove", move);
  addEventListener("pointerup", end, { once: true });
  addEventListener("pointercancel", end, { once: true });
});

// --- keys: / to the filter, j and k through rows, Enter opens, n and p turn pages
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const go = (selector) => { const link = document.querySelector(selector); if (link) { event.preventDefault(); link.click(); } };
  if (event.key === "/") {
    const field = document.querySelector("[data-search]");
    if (field) { event.preventDefault(); field.focus(); }
  } else if (event.key === "n") go("a[rel=next]");
  else if (event.key === "p") go("a[rel=first]");
  else if (event.key === "j" || event.key === "k") {
    const links = [...document.querySelectorAll("a[data-row]")];
    const at = links.indexOf(document.activeElement);
    const next = links[at < 0 ? 0 : at + (event.key === "j" ? 1 : -1)];
    if (next) { event.preventDefault(); next.focus(); }
  }
});
document.addEventListener("focusin", (event) => {
  for (const row of document.querySelectorAll("tr.at")) row.classList.remove("at");
  const row = event.target.matches("a[data-row]") && event.target.closest("tr");
  if (row) row.classList.add("at");
});
// A filter that is chosen is applied at once; empty fields stay out of the address.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-filter]");
  if (form && event.target.tagName === "SELECT") form.requestSubmit();
});
document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-filter]");
  if (form) for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
});

arrange();
})();
`;
