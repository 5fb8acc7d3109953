// Search as you type, filters without reloading, endless scrolling.

import { $, $$, fragment, parse, toast } from "./dom.js";

const PAUSE = 160; // milliseconds of silence before a typed query is sent
let running = null;
let pause; // until what was typed is sent
let watcher = null;
let source = byWords;

export function startResults() {
  if (!$("#workspace")) return;
  const form = $("#search");
  $("#q").addEventListener("input", () => {
    clearTimeout(pause);
    pause = setTimeout(() => go(addressOf(form), { replace: true }), PAUSE);
  });
  $("#sort").addEventListener("change", () => go(addressOf(form)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(pause);
    go(addressOf(form));
  });
  document.addEventListener("click", follow);
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-range]")) return;
    event.preventDefault();
    go(addressOf(event.target), { fill: true });
  });
  addEventListener("popstate", () => go(location.href, { history: false, fill: true }));
  openFilters();
  watchEnd();
}

// The address of the gallery that the form asks for, without empty parts.
function addressOf(form) {
  const wanted = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (value.trim() && !(name === "sort" && value === "relevance")) wanted.append(name, value);
  }
  const text = wanted.toString();
  return text ? `/?${text}` : "/";
}

function follow(event) {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const more = event.target.closest("a[data-more]");
  const link = event.target.closest("a[data-nav]");
  if (more) {
    event.preventDefault();
    extend(more);
  } else if (link) {
    event.preventDefault();
    $("#help")?.close();
    go(link.href, { fill: true, focus: focusKey(link) });
  }
}

function byWords(url, signal) {
  return fragment(`/fragment/results${url.search}`, { signal });
}

// Where answers come from: a function of address and abort signal; without one, words and filters alone.
export function askBy(other) {
  source = other ?? byWords;
}

export async function go(address, { replace = false, history: keep = true, fill = false, focus = null } = {}) {
  const url = new URL(address, location.href);
  clearTimeout(pause); // a click that follows upon typing counts
  running?.abort();
  running = new AbortController();
  const workspace = $("#workspace");
  workspace.setAttribute("aria-busy", "true");
  try {
    const html = await source(url, running.signal);
    if (html === null) return;
    if (fill) fillForm(url.searchParams);
    if (keep) history[replace ? "replaceState" : "pushState"](null, "", url.pathname + url.search);
    show(html, focus);
    if (!replace) scrollTo({ top: 0 });
  } catch (error) {
    toast(error.message);
  }
  workspace.removeAttribute("aria-busy");
}

// Put a fragment in place: an answer replaces the workspace, a fault only speaks above it.
function show(html, focus = null) {
  const content = parse(html);
  const fault = $("[data-fault]", content);
  const slot = $("#query-fault");
  slot.replaceChildren();
  $("#workspace").classList.toggle("stale", Boolean(fault));
  $("#q").toggleAttribute("aria-invalid", Boolean(fault));
  if (fault) {
    slot.append(fault);
    return;
  }
  const open = new Map($$("[data-keep-open]").map((part) => [part.id, part.open]));
  const scrolled = $(".filters-body")?.scrollTop ?? 0;
  $("#workspace").replaceChildren(content);
  for (const part of $$("[data-keep-open]")) if (open.has(part.id)) part.open = open.get(part.id);
  $(".filters-body").scrollTop = scrolled;
  if (focus) $$("#workspace a[data-nav]").find((link) => focusKey(link) === focus)?.focus();
  $("#told").textContent = $("#count").textContent.trim();
  syncState();
  watchEnd();
}

// What a filter link is about, whatever it would do next: its label without the verb.
function focusKey(link) {
  return link.closest(".value") ? `${link.className}|${link.closest(".facet").id}|${$(".value-title", link.parentElement).textContent}` : null;
}

function fillForm(wanted) {
  $("#q").value = wanted.get("q") ?? "";
  $("#sort").value = wanted.get("sort") ?? "relevance";
}

// Filters live in the address; the form repeats them, so that typing keeps them.
function syncState() {
  const form = $("#search");
  for (const field of $$("input[data-state]", form)) field.remove();
  for (const [name, value] of new URLSearchParams(location.search)) {
    if (["q", "sort", "offset", "like", "by"].includes(name)) continue;
    const field = document.createElement("input");
    Object.assign(field, { type: "hidden", name, value });
    field.dataset.state = "";
    form.append(field);
  }
}

// On wide screens the filter panel stands open from the start; on narrow ones it waits behind its button.
function openFilters() {
  const wide = matchMedia("(min-width: 900px)");
  const set = () => {
    const panel = $("#filters");
    if (panel) panel.open = wide.matches;
  };
  wide.addEventListener("change", set);
  set();
}

function watchEnd() {
  watcher?.disconnect();
  const link = $("a[data-more]");
  if (!link) return;
  watcher = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && extend(link), {
    rootMargin: "900px",
  });
  watcher.observe(link);
}

// A library that changes meanwhile moves cards to another page; none is shown twice.
function withoutShown(content) {
  for (const card of $$(".card[id]", content)) if (document.getElementById(card.id)) card.remove();
  return content;
}

async function extend(link) {
  const item = link.closest("li");
  if (item.dataset.loading) return;
  item.dataset.loading = "yes";
  try {
    const html = await fragment(link.dataset.more);
    // The answer may have been replaced while these cards were on their way.
    if (html !== null && item.isConnected) item.replaceWith(withoutShown(parse(html)));
  } catch (error) {
    delete item.dataset.loading;
    toast(error.message);
    return;
  }
  watchEnd();
}
