// The user's own layer: hearts, stars, notes, tags and saved searches, kept without leaving the page.

import { $, $$, fragment, parse, toast } from "./dom.js";

export function startOwn() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("[data-heart]")) {
      event.preventDefault();
      favour(form);
    } else if (form.matches("[data-part]")) {
      event.preventDefault();
      keep(form, event.submitter);
    }
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-auto]")) event.target.form.requestSubmit();
  });
}

// Every heart of one model turns at once; it turns back when the server refuses.
async function favour(form) {
  const wanted = form.elements.favourite.value === "yes";
  const all = $$(`[data-heart="${form.dataset.heart}"]`);
  for (const one of all) turn(one, wanted);
  try {
    const answer = await fetch(`/api/models/${form.dataset.heart}/marks`, {
      method: "PUT",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ favourite: wanted }),
    });
    const told = await answer.json();
    if (!answer.ok) throw new Error(told.message);
    toast(told.published ? (wanted ? "A favourite now" : "No favourite any more") : WAITING);
  } catch (error) {
    for (const one of all) turn(one, !wanted);
    toast(error.message);
  }
}

const WAITING = "Kept. Search sees it when the program that is writing has finished.";

function turn(form, on) {
  form.elements.favourite.value = on ? "no" : "yes";
  $("button", form).setAttribute("aria-pressed", String(on));
}

async function keep(form, submitter) {
  const place = $(form.dataset.into);
  const focused = document.activeElement?.id;
  try {
    const html = await fragment(form.dataset.part, { method: "POST", body: new FormData(form, submitter) });
    const typed = unsent(place, form);
    const open = $$("[data-keep-open]", place).filter((part) => part.open && !part.contains(form));
    place.replaceChildren(parse(html));
    for (const part of open) $(`#${part.id}`)?.setAttribute("open", "");
    for (const [id, value] of typed) if ($(`#${id}`)) $(`#${id}`).value = value;
    if (focused) $(`#${focused}`)?.focus();
    if (!place.contains(form)) form.reset();
    toast(form.dataset.done ?? "Kept");
  } catch (error) {
    toast(error.message);
  }
}

// What was typed into other fields meanwhile stays there.
function unsent(place, sent) {
  return $$("textarea[id], input[id]:not([type=radio])", place)
    .filter((field) => field.form !== sent && field.value !== field.defaultValue)
    .map((field) => [field.id, field.value]);
}
