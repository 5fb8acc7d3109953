// What is under way, as the server tells it; without script the page shows how it was when it was loaded.

const part = document.querySelector("#under-way");
const shown = new Intl.NumberFormat("en");
const stream = new EventSource(part.dataset.events);
stream.addEventListener("progress", (event) => show(JSON.parse(event.data)));
addEventListener("pagehide", () => stream.close());

function show(works) {
  part.hidden = works.length === 0;
  part.querySelector("ul").replaceChildren(...works.map(row));
}

function row({ what, title, unit, done, total }) {
  const bar = document.createElement("progress");
  bar.ariaLabel = what;
  if (total) {
    bar.max = total;
    bar.value = done;
  }
  const told = total ? `${shown.format(done)} of ${shown.format(total)} ${unit}` : `${shown.format(done)} ${unit}`;
  const line = document.createElement("li");
  line.append(paragraph(element("strong", what), " ", quiet(title)), paragraph(bar, " ", quiet(told)));
  return line;
}

function paragraph(...parts) {
  const made = document.createElement("p");
  made.append(...parts);
  return made;
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

function quiet(text) {
  const made = element("span", text);
  made.className = "quiet";
  return made;
}
