// The map of styles: a canvas to drag, zoom and walk with keys. Pictures come only for what is in view.

const stage = document.querySelector("#map");
const canvas = document.querySelector("#map-canvas");
const caption = document.querySelector("#map-caption");
const pen = canvas?.getContext("2d");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const view = { x: 0.5, y: 0.5, zoom: 1 };
const pictures = new Map();
const fingers = new Map();
const MOST_PICTURES = 400;
const FARTHEST = 0.6;
const NEAREST = 60;
let map = null;
let size = { width: 0, height: 0 };
let chosen = null;
let asked = false;
let moved = 0;
let pinch = 0;

if (stage) start();

async function start() {
  try {
    map = await read();
  } catch (error) {
    caption.textContent = error.message;
    return;
  }
  caption.textContent = "";
  new ResizeObserver(resize).observe(canvas);
  new MutationObserver(redraw).observe(document.documentElement, { attributes: true });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  listen();
  resize();
  stage.dataset.ready = "";
}

async function read() {
  const beside = document.querySelector("#map-data");
  if (beside) return JSON.parse(beside.textContent);
  const answer = await fetch(stage.dataset.source, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`The server answered ${answer.status}. Is pinakes still running?`);
  return answer.json();
}

function resize() {
  const box = canvas.getBoundingClientRect();
  const sharp = devicePixelRatio || 1;
  size = { width: box.width, height: box.height };
  canvas.width = Math.round(box.width * sharp);
  canvas.height = Math.round(box.height * sharp);
  pen.setTransform(sharp, 0, 0, sharp, 0, 0);
  redraw();
}

function redraw() {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    draw();
  });
}

const scale = () => Math.min(size.width, size.height) * 0.86 * view.zoom;
const toScreen = (spot) => ({ x: (spot.x - view.x) * scale() + size.width / 2, y: (spot.y - view.y) * scale() + size.height / 2 });
const isSeen = (at, edge) => at.x > -edge && at.y > -edge && at.x < size.width + edge && at.y < size.height + edge;
const between = (low, value, high) => Math.min(high, Math.max(low, value));

// How wide a picture may be: as wide as entries lie apart on average; 0 where they lie too close.
function pictureWidth() {
  const apart = scale() / Math.sqrt(map.points.length);
  return apart < 34 ? 0 : between(36, apart * 0.62, 112);
}

function draw() {
  const colours = palette();
  const width = pictureWidth();
  const taken = new Map();
  pen.clearRect(0, 0, size.width, size.height);
  const shown = map.points.map((point) => ({ point, at: toScreen(point) })).filter(({ at }) => isSeen(at, 60));
  for (const { point, at } of shown) dot(at, Math.max(2.5, width / 12), colours.of(point.cluster));
  for (const { point, at } of width ? shown : []) {
    if (point.preview && isFree(taken, at, width)) drawPicture(point, at, width, colours);
  }
  if (chosen) ring(toScreen(chosen), width, colours.accent);
  drawNames(colours);
}

function palette() {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => style.getPropertyValue(name).trim();
  const dark = style.colorScheme.includes("dark") && !style.colorScheme.includes("light");
  const light = dark ? 66 : 42;
  return {
    ink: value("--ink"),
    ground: value("--raised"),
    accent: value("--accent"),
    of: (cluster) => `hsl(${Math.round(cluster * 137.5 + 18) % 360} 48% ${light}%)`,
  };
}

function dot(at, radius, colour) {
  pen.beginPath();
  pen.arc(at.x, at.y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
}

function ring(at, width, colour) {
  pen.beginPath();
  pen.arc(at.x, at.y, Math.max(9, width * 0.72), 0, 2 * Math.PI);
  pen.lineWidth = 3;
  pen.strokeStyle = colour;
  pen.stroke();
}

// Pictures that would hide another stay dots until one comes nearer.
function isFree(taken, at, width) {
  const cell = (value) => Math.floor(value / width);
  const [column, line] = [cell(at.x), cell(at.y)];
  for (let x = column - 1; x <= column + 1; x++) {
    for (let y = line - 1; y <= line + 1; y++) {
      const other = taken.get(`${x} ${y}`);
      if (other && Math.max(Math.abs(other.x - at.x), Math.abs(other.y - at.y)) < width * 0.9) return false;
    }
  }
  taken.set(`${column} ${line}`, at);
  return true;
}

function drawPicture(point, at, width, colours) {
  const picture = pictureOf(point);
  if (!picture.complete || !picture.naturalWidth) return; // not here yet, or not readable: a dot it stays
  const part = Math.min(picture.naturalWidth, picture.naturalHeight);
  const from = [(picture.naturalWidth - part) / 2, (picture.naturalHeight - part) / 2, part, part];
  const to = [at.x - width / 2, at.y - width / 2, width, width];
  pen.fillStyle = colours.of(point.cluster);
  pen.fillRect(to[0] - 2, to[1] - 2, width + 4, width + 4);
  if (isCovered(point)) pen.drawImage(blurred(picture, from), ...to);
  else pen.drawImage(picture, ...from, ...to);
}

function isCovered(point) {
  if (point.cover === "clear") return false;
  return point.cover === "adult" || document.documentElement.dataset.unrated !== "shown";
}

function blurred(picture, from) {
  if (!picture.small) {
    picture.small = document.createElement("canvas");
    picture.small.width = picture.small.height = 4;
    picture.small.getContext("2d").drawImage(picture, ...from, 0, 0, 4, 4);
  }
  return picture.small;
}

function pictureOf(point) {
  let picture = pictures.get(point.id);
  if (!picture) {
    picture = new Image();
    picture.addEventListener("load", redraw);
    picture.src = point.preview;
  }
  pictures.delete(point.id); // the last used stand last, so the first may go
  pictures.set(point.id, picture);
  if (pictures.size > MOST_PICTURES) pictures.delete(pictures.keys().next().value);
  return picture;
}

function drawNames(colours) {
  const placed = [];
  pen.font = `600 14px ${getComputedStyle(document.body).fontFamily}`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineJoin = "round";
  for (const cluster of map.clusters) {
    const at = toScreen(cluster);
    const half = Math.min(pen.measureText(cluster.title).width, size.width - 16) / 2;
    if (!isSeen(at, 0)) continue;
    at.x = between(half + 8, at.x, size.width - half - 8);
    if (placed.some((other) => Math.abs(other.x - at.x) < other.half + half + 10 && Math.abs(other.y - at.y) < 22)) continue;
    placed.push({ ...at, half });
    pen.lineWidth = 5;
    pen.strokeStyle = colours.ground;
    pen.strokeText(cluster.title, at.x, at.y, half * 2);
    pen.fillStyle = colours.ink;
    pen.fillText(cluster.title, at.x, at.y, half * 2);
  }
}

function nearest(x, y, within) {
  let found = null;
  let best = within ** 2;
  for (const point of map.points) {
    const at = toScreen(point);
    const far = (at.x - x) ** 2 + (at.y - y) ** 2;
    if (far < best) [found, best] = [point, far];
  }
  return found;
}

function choose(point) {
  if (point === chosen) return;
  chosen = point;
  const cluster = point && map.clusters.find((one) => one.id === point.cluster);
  caption.textContent = point ? `${point.name}${cluster ? `, ${cluster.title}` : ""}` : "";
  canvas.style.cursor = point ? "pointer" : "";
  redraw();
}

function open(point) {
  if (point && map.model) location.href = map.model + point.id;
}

function look(x, y, zoom) {
  view.zoom = between(FARTHEST, zoom, NEAREST);
  view.x = between(-0.1, x, 1.1);
  view.y = between(-0.1, y, 1.1);
  redraw();
}

function fly(x, y, zoom) {
  const from = { ...view };
  if (calm.matches) return look(x, y, zoom);
  const begun = performance.now();
  const step = (now) => {
    const done = Math.min(1, (now - begun) / 260);
    const part = done * (2 - done);
    look(from.x + (x - from.x) * part, from.y + (y - from.y) * part, from.zoom * (zoom / from.zoom) ** part);
    if (done < 1) requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}

// Zoom so that what lies under (x, y) stays there.
function zoomAt(x, y, factor) {
  const zoom = between(FARTHEST, view.zoom * factor, NEAREST);
  const away = { x: (x - size.width / 2) / scale(), y: (y - size.height / 2) / scale() };
  const part = 1 - view.zoom / zoom;
  look(view.x + away.x * part, view.y + away.y * part, zoom);
}

function listen() {
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomAt(event.offsetX, event.offsetY, Math.exp(-event.deltaY * 0.0016));
  }, { passive: false });
  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", (event) => fingers.delete(event.pointerId));
  canvas.addEventListener("pointerleave", () => fingers.size || choose(null));
  canvas.addEventListener("keydown", walk);
  for (const button of document.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => fly(view.x, view.y, view.zoom * Number(button.dataset.zoom)));
  }
  document.querySelector("[data-fit]")?.addEventListener("click", () => fly(0.5, 0.5, 1));
  for (const button of document.querySelectorAll("[data-cluster]")) {
    button.addEventListener("click", () => visit(Number(button.dataset.cluster)));
  }
}

function visit(id) {
  const cluster = map.clusters.find((one) => one.id === id);
  if (!cluster) return;
  fly(cluster.x, cluster.y, Math.max(2.6, view.zoom));
  stage.scrollIntoView({ block: "nearest" });
}

function press(event) {
  canvas.setPointerCapture(event.pointerId);
  fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
  moved = fingers.size > 1 ? 99 : 0;
  pinch = spread();
}

const spread = () => {
  const [one, two] = [...fingers.values()];
  return two ? Math.hypot(one.x - two.x, one.y - two.y) : 0;
};

function move(event) {
  const before = fingers.get(event.pointerId);
  if (!before) return choose(under(event));
  const [x, y] = [event.offsetX, event.offsetY];
  fingers.set(event.pointerId, { x, y });
  moved += Math.abs(x - before.x) + Math.abs(y - before.y);
  if (fingers.size === 1) look(view.x - (x - before.x) / scale(), view.y - (y - before.y) / scale(), view.zoom);
  else if (pinch) {
    zoomAt(x, y, spread() / pinch);
    pinch = spread();
  }
}

const under = (event) => nearest(event.offsetX, event.offsetY, Math.max(14, pictureWidth() * 0.7));

// A mouse has seen the name already; a finger asks for it with the first tap and opens with the second.
function release(event) {
  const tapped = fingers.delete(event.pointerId) && moved < 6;
  if (!tapped) return;
  const point = under(event);
  if (event.pointerType === "mouse" || point === chosen) open(point);
  else choose(point);
}

const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const ZOOMS = { "+": 1.4, "=": 1.4, "-": 1 / 1.4 };

function walk(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { key } = event;
  if (STEPS[key]) look(view.x + (STEPS[key][0] * 60) / scale(), view.y + (STEPS[key][1] * 60) / scale(), view.zoom);
  else if (ZOOMS[key]) look(view.x, view.y, view.zoom * ZOOMS[key]);
  else if (key === "0" || key === "Home") look(0.5, 0.5, 1);
  else if (key !== "Enter") return;
  event.preventDefault();
  if (key === "Enter") open(chosen);
  else choose(nearest(size.width / 2, size.height / 2, Infinity));
}
