// ---- table: a row a run ---------------------------------------------------------------------------------------

const MOST_PICKED = 12;
const PALETTES = {
  light: ["#1f5fd6", "#d6531f", "#1a8a4f", "#9b3fb5", "#b08000", "#0e8aa0", "#c2377a", "#5b6b7f", "#7a9a01", "#7a4a21"],
  dark: ["#6ea1ff", "#ff8a5c", "#4fc98a", "#d68af0", "#e6c34a", "#4fc3d9", "#ff7bb5", "#a7b4c5", "#b5d33d", "#c79a6b"],
};

const view = {
  selected: null, // the run whose matrix is shown
  picked: new Map(), // run to whether it is in the chart
  colours: new Map(), // run to its place in the palette
  told: { of: null, text: "" }, // what became of what was asked for a run
  metrics: [], // those that are drawn, the first of which the table shows
  cursorStep: null,
  focused: null, // the run whose curve is nearest to the cursor
};
const rows = new Map();

const colourOf = (run) => {
  const palette = PALETTES[document.documentElement.dataset.theme];
  if (!view.colours.has(run.id)) view.colours.set(run.id, view.colours.size);
  return palette[view.colours.get(run.id) % palette.length];
};

function drawTable() {
  const body = find("runs").tBodies[0];
  for (const [id, row] of rows) {
    if (!model.runs.has(id)) { row.element.remove(); rows.delete(id); }
  }
  for (const run of model.runs.values()) {
    if (!view.picked.has(run.id)) view.picked.set(run.id, pickedRuns().length < MOST_PICKED);
    if (!rows.has(run.id)) {
      rows.set(run.id, newRow(run));
      body.append(rows.get(run.id).element);
    }
    drawRow(run, rows.get(run.id));
  }
  if (view.selected === null || !model.runs.has(view.selected)) chooseFirst();
  drawCount();
  drawDetail();
  write(find("value-head"), view.cursorStep === null ? (view.metrics[0] ?? "Last") : `at step ${view.cursorStep}`);
}

const pickedRuns = () => [...model.runs.values()].filter((run) => view.picked.get(run.id));

function newRow(run) {
  const swatch = make("input", { type: "checkbox", class: "swatch" });
  swatch.checked = view.picked.get(run.id);
  swatch.addEventListener("change", () => { view.picked.set(run.id, swatch.checked); changed(); });
  const name = make("span");
  const button = make("button", { type: "button" }, name, make("code", {}, shortId(run.id)));
  button.addEventListener("click", () => select(run.id));
  button.addEventListener("keydown", walk);
  const bar = make("i");
  const cells = {
    status: make("span", { class: "status" }),
    percent: make("span"),
    step: make("td", { class: "number" }),
    value: make("td", { class: "number" }),
    best: make("td", { class: "number spare" }),
    age: make("td", { class: "number" }),
  };
  const progress = make("span", { class: "progress" }, bar);
  const element = make(
    "tr",
    { "data-run": run.id },
    make("td", { class: "pick" }, swatch),
    make("th", { scope: "row" }, button),
    make("td", {}, cells.status),
    make("td", { class: "spare" }, progress, cells.percent),
    cells.step, cells.value, cells.best, cells.age,
  );
  return { element, swatch, name, button, bar, progress, ...cells };
}

function drawRow(run, row) {
  const metric = view.metrics[0];
  const name = nameOf(run);
  write(row.name, name);
  row.button.title = `${name}\n${run.id}`;
  row.swatch.setAttribute("aria-label", `${name} ${shortId(run.id)} in the chart`);
  row.element.style.setProperty("--series", colourOf(run));
  row.element.setAttribute("aria-current", String(run.id === view.selected));
  row.element.classList.toggle("ended", isEnded(run));
  row.element.classList.toggle("focus", run.id === view.focused);
  drawStatus(run, row.status);
  const share = progressOf(run);
  show(row.progress, share !== null);
  row.bar.style.width = `${Math.round((share ?? 0) * 100)}%`;
  write(row.percent, share === null ? "" : `${Math.floor(share * 100)} %`);
  write(row.step, lastStep(run) === null ? "" : String(lastStep(run)));
  const value = metric === undefined ? null : valueAt(run, metric, view.cursorStep);
  write(row.value, writeNumber(value));
  row.value.classList.toggle("lost", value !== null && !Number.isFinite(value));
  write(row.best, metric === undefined ? "" : writeNumber(bestOf(run, metric)));
  drawAge(run, row);
  if (row.element.dataset.step !== String(lastStep(run))) {
    row.element.dataset.step = String(lastStep(run));
    row.element.dataset.drawn = String(Date.now());
  }
}

function drawStatus(run, element) {
  const known = ["creating", "running", "finished", "errored", "cancelled"].find((s) => s === run.status.toLowerCase());
  let [text, kind, why] = [run.status, known ?? "", run.message];
  if (run.failure !== null) [text, kind, why] = ["Unreachable", "errored", run.failure];
  else if (!run.followed) [text, kind] = [`${run.status}, not followed`, ""];
  else if (isStale(run)) [text, kind] = [`${run.status}, stale`, "stale"];
  write(element, text);
  element.className = `status ${kind}`;
  element.title = why ?? "";
}

function drawAge(run, row) {
  const newest = lastTime(run);
  write(row.age, newest === null ? "" : writeAge(now() - newest));
  row.age.classList.toggle("old", isStale(run));
}

function drawCount() {
  const all = [...model.runs.values()];
  const running = all.filter((run) => !isEnded(run)).length;
  write(find("runs-count"), all.length ? `${running} going on, ${all.length - running} over` : "");
  show(find("no-runs"), all.length === 0);
}

function drawDetail() {
  const run = model.runs.get(view.selected);
  show(find("detail"), Boolean(run));
  if (!run) return;
  write(find("detail-name"), nameOf(run));
  write(find("detail-id"), run.id);
  const hardware = run.accelerator ? `${run.accelerator.count} × ${run.accelerator.name}` : "";
  const said = view.told.of === run.id ? view.told.text : (run.failure ?? run.message);
  write(find("detail-text"), [hardware, run.label, said].filter(Boolean).join(" · "));
  show(find("kill"), model.allowKill && !isEnded(run));
}

function chooseFirst() {
  const first = model.runs.keys().next();
  if (first.done) view.selected = null;
  else select(first.value);
}

function select(id) {
  view.selected = id;
  view.told = { of: null, text: "" };
  loadMatrices();
  changed();
}

// Go from run to run by the arrow keys.
function walk(event) {
  const way = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!way) return;
  const buttons = [...rows.values()].map((row) => row.button);
  buttons[buttons.indexOf(event.currentTarget) + way]?.focus();
  event.preventDefault();
}
