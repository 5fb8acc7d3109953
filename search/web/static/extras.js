// Theme, copy buttons, blurred previews, pictures that fail, rows that fill themselves.

import { $, $$, fragment, parse, remember, toast } from "./dom.js";

export function startExtras() {
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    if (at("[data-theme-toggle]")) toggleTheme();
    else if (at("[data-copy]")) copy(at("[data-copy]").dataset.copy);
    else if (at("[data-blur-toggle]")) toggleUnrated();
    else if (at("[data-uncover]")) at("[data-uncover]").closest(".shot").classList.add("uncovered");
    else if (!at(".picture-menu")) $(".picture-menu[open]")?.removeAttribute("open");
  });
  // Loads and errors of pictures do not bubble; they are caught on their way down.
  document.addEventListener("error", (event) => event.target.matches?.("img") && event.target.classList.add("failed"), true);
  for (const section of $$("[data-row]")) fillRow(section);
  for (const wish of ["pointerover", "focusin"]) document.addEventListener(wish, explain);
}

// Why a card is where it is, fetched when somebody points at the question.
async function explain(event) {
  const button = event.target.closest?.("[data-why]");
  if (!button) return;
  const address = button.dataset.why;
  button.removeAttribute("data-why");
  try {
    button.nextElementSibling.replaceChildren(parse(await fragment(address)));
  } catch {
    button.dataset.why = address; // the next wish asks again
  }
}

function toggleTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  remember("theme", root.dataset.theme);
}

function toggleUnrated() {
  const root = document.documentElement;
  root.dataset.unrated = root.dataset.unrated === "shown" ? "blurred" : "shown";
  remember("unrated", root.dataset.unrated);
}

// Without C0 and C1 controls and marks that reorder text: a terminal or a prompt box may be the target.
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

async function copy(text) {
  const clean = text.replace(CONTROLS, "");
  try {
    await navigator.clipboard.writeText(clean);
    toast("Copied");
  } catch {
    toast("The browser does not let this page copy; select the text instead.");
  }
}

async function fillRow(section) {
  const row = $(".row", section);
  try {
    const html = await fragment(section.dataset.row);
    if (html?.trim()) row.replaceChildren(parse(html));
    else section.hidden = true;
  } catch {
    section.hidden = true; // the link above it leads to the whole answer, or to its error
  }
  row.removeAttribute("aria-busy");
}
