// Small helpers that the other modules share.

export const $ = (selector, within = document) => within.querySelector(selector);
export const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];

export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // Storage can be forbidden; the choice then lasts as long as the page.
  }
}

let hush;

export function toast(text) {
  const box = $("#toast");
  box.textContent = text;
  box.classList.add("on");
  clearTimeout(hush);
  hush = setTimeout(() => box.classList.remove("on"), 2200);
}

export function isTyping(target) {
  return target instanceof HTMLElement && target.matches("input:not([type=radio]), textarea, select, [contenteditable]");
}

// Our own server's fragment as text; null when the request was overtaken by a newer one.
export async function fragment(address, options = {}) {
  try {
    const answer = await fetch(address, { credentials: "same-origin", ...options });
    const html = await answer.text();
    if (answer.ok) return html;
    throw new Error(messageIn(html, answer));
  } catch (error) {
    if (error.name === "AbortError") return null;
    throw error;
  }
}

function messageIn(text, answer) {
  try {
    return JSON.parse(text).message;
  } catch {
    return `The server answered ${answer.status}. Is pinakes still running?`;
  }
}

// Fragments come from our templates, where everything is escaped; the CSP forbids inline script besides.
export function parse(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  return holder.content;
}
