// ---- format: elements and texts -------------------------------------------------------------------------------

const find = (id) => document.getElementById(id);

// Make an element. Children that are strings become text: nothing that the API says is ever read as markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

// Write a text where it is another: what stays the same keeps its selection, and costs no layout.
function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function show(element, isShown) {
  if (element.hidden === isShown) element.hidden = !isShown;
}

function writeNumber(value) {
  if (value === null || value === undefined) return "";
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  const size = Math.abs(value);
  if (value === 0 || (size >= 1e-3 && size < 1e4)) return value.toFixed(size < 10 ? 4 : size < 1000 ? 2 : 1);
  return value.toExponential(2);
}

// Write a value of an axis: as short as it can be.
function writeTick(value) {
  if (value === null || value === undefined) return "";
  const size = Math.abs(value);
  return value === 0 || (size >= 1e-3 && size < 1e5) ? String(Number(value.toPrecision(6))) : value.toExponential(0);
}

function writeAge(seconds) {
  const age = Math.max(0, seconds);
  if (age < 100) return `${Math.floor(age)} s`;
  if (age < 6000) return `${Math.floor(age / 60)} min`;
  if (age < 172800) return `${Math.floor(age / 3600)} h`;
  return `${Math.floor(age / 86400)} d`;
}

function writeClock(seconds) {
  return new Date(seconds * 1000).toTimeString().slice(0, 8);
}

function writeDate(seconds) {
  return new Date(seconds * 1000).toISOString().slice(0, 16).replace("T", " ") + " UTC";
}

// Shorten what an error says for a line: without the request, which its title has.
function brief(error) {
  const text = error.replace(/^[A-Z]+ \S+: /, "").replace(/ \[request [^\]]*\]/, "").replace(/ \(\d+ attempts?\).*/, "");
  return text.length > 120 ? `${text.slice(0, 119)}…` : text;
}

const shortId = (id) => id.slice(0, 12);
