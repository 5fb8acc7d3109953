// Search by picture: drop it anywhere, paste it, or choose a file. It goes to this machine's server only.

import { $, $$, fragment, toast } from "./dom.js";
import { askBy, go } from "./results.js";

const LIMIT = 32 * 1024 * 1024;
let picture = null;
let shown = null;
let by = "style";

export function startPicture() {
  if (!$("#picture-form")) return;
  $("#picture-form").addEventListener("submit", (event) => {
    event.preventDefault();
    by = new FormData(event.target).get("by");
    take($("#picture").files[0]);
  });
  $("#picture").addEventListener("change", (event) => {
    by = new FormData(event.target.form).get("by");
    take(event.target.files[0]);
  });
  for (const button of $$("#picture-bar [data-by]")) {
    button.addEventListener("click", () => {
      by = button.dataset.by;
      look();
    });
  }
  $("#picture-clear").addEventListener("click", leave);
  document.addEventListener("paste", (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((one) => one.type.startsWith("image/"));
    if (file) take(file);
  });
  startDrop();
}

function startDrop() {
  const veil = $("#drop");
  const carriesFile = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragover", (event) => {
    if (!carriesFile(event)) return;
    event.preventDefault();
    veil.hidden = false;
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) veil.hidden = true;
  });
  addEventListener("drop", (event) => {
    veil.hidden = true;
    if (!carriesFile(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files[0]);
  });
}

function take(file) {
  if (!file) return;
  if (!file.type.startsWith("image/")) return toast("This is no picture. PNG, JPEG, WebP and GIF can be searched by.");
  if (file.size > LIMIT) return toast("This picture is larger than 32 MiB.");
  $(".picture-menu").open = false;
  picture = file;
  if (shown) URL.revokeObjectURL(shown);
  shown = URL.createObjectURL(file);
  look();
}

// From here on, typing and filters narrow what looks like the picture, until it is taken away.
function look() {
  askBy(byPicture);
  showBar();
  return go(location.href, { history: false });
}

function byPicture(url, signal) {
  const wanted = new URLSearchParams(url.search);
  for (const name of ["like", "offset", "sort"]) wanted.delete(name);
  wanted.set("by", by);
  const body = new FormData();
  body.append("image", picture);
  return fragment(`/fragment/similar?${wanted}`, { method: "POST", body, signal });
}

function showBar() {
  $("#picture-shown").src = shown;
  $("#picture-bar").hidden = false;
  for (const button of $$("#picture-bar [data-by]")) {
    button.setAttribute("aria-pressed", String(button.dataset.by === by));
  }
}

function leave() {
  askBy(null);
  $("#picture-bar").hidden = true;
  $("#picture-shown").removeAttribute("src");
  $("#picture-form").reset();
  go(location.href, { history: false });
}
