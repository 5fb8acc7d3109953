// Looks on while a plan is made: the server sends how far it is, and the page is shown when it is there.

import { $ } from "./dom.js";

const shown = new Intl.NumberFormat("en");
const part = $("#plan-progress");
if (part) watch(part.dataset.events);

function watch(address) {
  const stream = new EventSource(address);
  stream.addEventListener("progress", (event) => show(JSON.parse(event.data)));
  stream.addEventListener("end", () => {
    stream.close();
    location.reload();
  });
  addEventListener("pagehide", () => stream.close());
}

function show({ state, title, done, total }) {
  const bar = $("#progress-bar");
  let told = "Looking which models there are";
  if (state === "waiting") told = "Waiting until another plan is made";
  if (total) {
    told = `${title}: ${shown.format(done)} of ${shown.format(total)}`;
    bar.max = total;
    bar.value = done;
  }
  $("#progress-told").textContent = told;
}
