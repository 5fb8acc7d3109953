// The stack builder without reloading: every button is a link to another stack, asked for in the background.

import { $, $$, fragment, parse, remember, toast } from "./dom.js";

const PAUSE = 220; // milliseconds of silence before something typed or slid is sent
let running = null;
let pause;

// The address that the form asks for, with the button that was pressed.
function wanted(form, button = null) {
  const asked = new URLSearchParams();
  for (const [name, value] of new FormData(form, button)) {
    if (name === "weight" || value.trim()) asked.append(name, value.trim());
  }
  return asked;
}

async function ask(asked, part) {
  running?.abort();
  running = new AbortController();
  asked.set("part", part);
  const place = $(part === "all" ? "#stack" : `#stack-${part}`);
  place.setAttribute("aria-busy", "true");
  try {
    const html = await fragment(`/fragment/stack?${asked}`, { signal: running.signal });
    return html === null ? null : parse(html);
  } catch (error) {
    toast(error.message);
    return null;
  } finally {
    place.removeAttribute("aria-busy");
  }
}

// After a button: the whole builder anew, the focus where it was or at the heading of what changed.
async function act(asked, { keep = true } = {}) {
  const focused = document.activeElement?.id;
  const content = await ask(asked, "all");
  if (!content) return;
  $("#stack").replaceChildren(content);
  const next = focused && document.getElementById(focused);
  if (next && !next.disabled) next.focus();
  else if (focused) ($("#stack-list-title") ?? $("#stack-add-title")).focus();
  settle($("#stack-form"), keep);
  tell();
}

// After a weight: only the check, so that the slider stays under the hand.
async function weigh() {
  const content = await ask(wanted($("#stack-form")), "check");
  const check = content && $("#stack-check", content);
  if (!check) return;
  $("#stack-check").replaceWith(check);
  settle(check, true, { replace: true });
  tell();
}

// After a word or another kind: only what is offered.
async function look() {
  const content = await ask(wanted($("#stack-form")), "offers");
  const offers = content && $("#stack-offers", content);
  if (!offers) return;
  $("#stack-offers").replaceWith(offers);
}

function settle(holder, keep, { replace = false } = {}) {
  if (keep) history[replace ? "replaceState" : "pushState"](null, "", holder.dataset.url);
  remember("stack", $("#stack-form input[name=base], #stack-form input[name=add]") ? holder.dataset.share : "");
}

function tell() {
  const verdict = $("#check-verdict");
  if (verdict) $("#told").textContent = verdict.textContent.trim();
}

function soon(task) {
  clearTimeout(pause);
  pause = setTimeout(task, PAUSE);
}

function typed(event) {
  const field = event.target;
  if (field.matches("input[type=range]")) {
    document.getElementById(field.dataset.slides).value = field.value;
    soon(weigh);
  } else if (field.matches("input[name=weight]")) {
    const slider = $(`[data-slides="${field.id}"]`);
    slider.value = field.value || field.placeholder;
    soon(weigh);
  } else if (field.matches("#stack-q, #stack-kind, #stack-all")) {
    soon(look);
  }
}

async function copyFrom(button) {
  try {
    await navigator.clipboard.writeText(await fragment(button.dataset.copyFrom));
    toast("Copied");
  } catch (error) {
    toast(error.message || "The browser does not let this page copy; download the file instead.");
  }
}

$("#stack").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(pause);
  act(wanted(event.target, event.submitter));
});
$("#stack").addEventListener("input", typed);
$("#stack").addEventListener("click", (event) => {
  const link = event.target.closest("a[data-stack-link]");
  const copy = event.target.closest("[data-copy-from]");
  if (copy) copyFrom(copy);
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey) {
    event.preventDefault();
    act(new URL(link.href).searchParams);
  }
  if (event.target.closest("a[data-fresh]")) remember("stack", "");
});
addEventListener("popstate", () => act(new URLSearchParams(location.search), { keep: false }));
$(".opener input[type=file]").addEventListener("change", (event) => {
  if (event.target.files.length) event.target.form.requestSubmit();
});
settle($("#stack-form"), true, { replace: true });
