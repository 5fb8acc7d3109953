// Keys: / searches, arrows move among cards, f makes a favourite, ? helps, Esc leaves.

import { $, $$, isTyping } from "./dom.js";

const STEPS = { ArrowLeft: "left", ArrowRight: "right", ArrowUp: "up", ArrowDown: "down" };

export function startKeyboard() {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey) return;
    if ($("dialog[open]")) return;
    if (event.key === "Escape") escape(event);
    else if (isTyping(event.target)) fromSearch(event);
    else if (event.key === "/") focusSearch(event);
    else if (event.key === "?") openHelp(event);
    else if (event.key === "f") favourite(event);
    else if (STEPS[event.key]) move(event, STEPS[event.key]);
    else if (event.key === "Home" || event.key === "End") jump(event);
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-help]")) openHelp(event);
    if (event.target === $("#help")) $("#help").close();
  });
}

const cards = () => $$("#grid .card-link");

function escape(event) {
  const menu = $(".picture-menu[open]");
  if (menu) {
    menu.open = false;
    $("summary", menu).focus();
  } else if (event.target.matches?.("#q")) {
    event.target.blur();
  } else if (event.target.matches?.(".why")) {
    event.target.blur();
  }
}

function focusSearch(event) {
  event.preventDefault();
  $("#q")?.focus();
  $("#q")?.select();
}

function openHelp(event) {
  event.preventDefault();
  $("#help").showModal();
}

// The card that has the focus, or the model of this page.
function favourite(event) {
  const form = $("[data-heart]", document.activeElement.closest(".card") ?? $("#marks") ?? document.createElement("i"));
  if (!form) return;
  event.preventDefault();
  form.requestSubmit();
}

// From the search box, down goes into the gallery.
function fromSearch(event) {
  if (event.key !== "ArrowDown" || !event.target.matches("#q")) return;
  const first = cards()[0];
  if (!first) return;
  event.preventDefault();
  first.focus();
}

function move(event, way) {
  const all = cards();
  if (!all.length) return;
  const here = all.indexOf(document.activeElement);
  if (here < 0 && document.activeElement !== document.body && document.activeElement.id !== "main") return;
  event.preventDefault();
  const next = here < 0 ? all[0] : neighbour(all, here, way);
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function neighbour(all, here, way) {
  if (way === "left") return all[here - 1];
  if (way === "right") return all[here + 1];
  const columns = all.findIndex((one) => one.offsetParent.offsetTop > all[0].offsetParent.offsetTop);
  const width = columns < 0 ? all.length : columns;
  if (way === "up") return all[here - width] ?? $("#q");
  return all[here + width] ?? (here < all.length - 1 ? all[all.length - 1] : undefined);
}

function jump(event) {
  const all = cards();
  if (!all.includes(document.activeElement)) return;
  event.preventDefault();
  (event.key === "Home" ? all[0] : all[all.length - 1]).focus();
}
