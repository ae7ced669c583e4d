// ---- charts: a metric over the steps of the runs that are picked ----------------------------------------------

const charts = new Map();
const MANY_TICKS = 24; // above it a logarithmic axis has lines at the powers of ten alone
const WHOLE = Array.from({ length: 10 }, (_, i) => [1, 2, 5].map((n) => n * 10 ** i)).flat(); // steps have no halves
const settings = { log: false, smooth: 0 };
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// Return the points of a curve. A training that was resumed goes back in its steps: the later word counts.
function pointsOf(run, metric) {
  const [xs, ys] = [[], []];
  const column = run.metrics.get(metric) ?? [];
  for (let i = 0; i < column.length; i++) {
    if (column[i] === null) continue;
    while (xs.length && xs.at(-1) >= run.steps[i]) { xs.pop(); ys.pop(); }
    xs.push(run.steps[i]);
    ys.push(Number.isFinite(column[i]) && (!settings.log || column[i] > 0) ? column[i] : null);
  }
  return [xs, ys];
}

// Smooth by a running mean that forgets, corrected for its beginning at nothing.
function smoothed(values, weight) {
  let [mean, norm] = [0, 0];
  return values.map((value) => {
    if (value === null) return null;
    mean = weight * mean + (1 - weight) * value;
    norm = weight * norm + (1 - weight);
    return mean / norm;
  });
}

function drawCharts() {
  drawMetricNames();
  for (const [metric, chart] of charts) {
    if (!view.metrics.includes(metric)) { chart.plot?.destroy(); chart.element.remove(); charts.delete(metric); }
  }
  for (const metric of view.metrics) {
    if (!charts.has(metric)) charts.set(metric, newChart(metric));
    find("charts").append(charts.get(metric).element);
    drawChart(metric, charts.get(metric));
  }
  drawThinned();
}

function drawMetricNames() {
  const names = metricNames();
  if (!view.metrics.length && names.length) view.metrics = [names[0]];
  const box = find("metrics");
  const drawn = [...box.querySelectorAll("input")].map((input) => input.value);
  if (drawn.join("\n") === names.join("\n")) return;
  for (const label of box.querySelectorAll("label")) label.remove();
  for (const name of names) {
    const input = make("input", { type: "checkbox", value: name });
    input.checked = view.metrics.includes(name);
    input.addEventListener("change", () => chooseMetrics(box));
    box.append(make("label", {}, input, name));
  }
}

function chooseMetrics(box) {
  const chosen = [...box.querySelectorAll("input:checked")].map((input) => input.value);
  view.metrics = [...view.metrics.filter((name) => chosen.includes(name)), ...chosen.filter((name) => !view.metrics.includes(name))];
  if (!view.metrics.length) view.metrics = metricNames().slice(0, 1);
  for (const input of box.querySelectorAll("input")) input.checked = view.metrics.includes(input.value);
  changed();
}

function newChart(metric) {
  const place = make("div", { tabindex: "0", role: "img" });
  place.addEventListener("keydown", (event) => moveCursor(event, charts.get(metric)?.plot));
  const element = make("div", { class: "chart" }, make("h3", {}, metric), place);
  return { element, place, plot: null, key: "", version: "", drawn: "", isZoomed: false };
}

// Draw a chart, where anything of it is new: a cursor that moves costs nothing here.
function drawChart(metric, chart) {
  const width = chart.place.clientWidth;
  const key = JSON.stringify([pickedRuns().map((run) => run.id), settings, width, document.documentElement.dataset.theme, view.metrics.length]);
  const version = pickedRuns().map(versionOf).join();
  if (chart.key === key && chart.version === version) return;
  const curves = pickedRuns()
    .map((run) => ({ run, points: pointsOf(run, metric) }))
    .filter(({ points }) => points[0].length);
  const tables = curves.flatMap(({ points: [xs, ys] }) =>
    settings.smooth ? [[xs, ys], [xs, smoothed(ys, settings.smooth)]] : [[xs, ys]]);
  const data = tables.length ? uPlot.join(tables) : [[], []];
  const drawn = `${key} ${curves.map(({ run }) => run.id)}`;
  if (drawn !== chart.drawn) {
    chart.plot?.destroy();
    chart.isZoomed = false;
    chart.plot = new uPlot(optionsOf(chart, metric, curves, width), data, chart.place);
  } else {
    chart.plot.setData(data, !chart.isZoomed);
    if (chart.isZoomed) chart.plot.redraw();
  }
  Object.assign(chart, { key, version, drawn });
  chart.place.dataset.curves = String(curves.length);
  chart.place.dataset.points = String(data[0].length);
  chart.place.dataset.scale = settings.log ? "log" : "linear";
  chart.place.setAttribute("aria-label", `${metric} over the steps of ${curves.length} runs; arrow keys move the cursor`);
}

function optionsOf(chart, metric, curves, width) {
  const [quiet, line] = [colour("--quiet"), colour("--line")];
  const axis = { stroke: quiet, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1, size: 4 }, font: "11px system-ui, sans-serif" };
  return {
    width,
    height: view.metrics.length > 1 ? 190 : 280,
    legend: { show: false },
    scales: { x: { time: false }, y: { distr: settings.log ? 3 : 1 } },
    cursor: { sync: { key: "steps" }, focus: { prox: 24 }, points: { size: 6 } },
    focus: { alpha: 0.35 },
    axes: [
      { ...axis, size: 26, incrs: WHOLE, values: (_, ticks) => ticks.map(writeTick) },
      { ...axis, size: 58, grid: { ...axis.grid, filter: (_, ticks) => powersOfTen(ticks) }, values: (_, ticks) => ticks.map(writeTick) },
    ],
    series: [{ label: "step" }, ...curves.flatMap(({ run }) => seriesOf(run))],
    hooks: {
      setCursor: [(plot) => noteCursor(plot)],
      setSeries: [(_, i) => noteFocus(i === null ? null : curves[Math.floor((i - 1) / (settings.smooth ? 2 : 1))])],
      setSelect: [(plot) => { chart.isZoomed = plot.select.width > 0; }],
      ready: [(plot) => plot.over.addEventListener("dblclick", () => { chart.isZoomed = false; })],
    },
  };
}

function powersOfTen(ticks) {
  if (!settings.log || ticks.length <= MANY_TICKS) return ticks;
  return ticks.map((tick) => (Number.isInteger(Math.log10(tick)) ? tick : null));
}

function seriesOf(run) {
  const line = { label: nameOf(run), stroke: colourOf(run), width: 1.6, points: { show: false }, spanGaps: false };
  return settings.smooth ? [{ ...line, width: 1, alpha: 0.3 }, line] : [line];
}

function noteCursor(plot) {
  const step = plot.cursor.left >= 0 && plot.cursor.idx !== null ? plot.data[0][plot.cursor.idx] ?? null : null;
  if (step !== view.cursorStep) { view.cursorStep = step; changed(); }
}

function noteFocus(curve) {
  const id = curve?.run.id ?? null;
  if (id !== view.focused) { view.focused = id; changed(); }
}

function moveCursor(event, plot) {
  const way = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!way || !plot || !plot.data[0].length) return;
  const from = plot.cursor.idx ?? (way > 0 ? -1 : plot.data[0].length);
  const at = Math.max(0, Math.min(plot.data[0].length - 1, from + way));
  plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: plot.over.clientHeight / 2 });
  event.preventDefault();
}

function drawThinned() {
  const thinned = pickedRuns().filter((run) => run.steps.length < run.count);
  show(find("thinned"), thinned.length > 0);
  if (!thinned.length) return;
  const [drawn, all] = ["steps", "count"].map((name) => thinned.reduce((sum, run) => sum + (run[name].length ?? run[name]), 0));
  write(find("thinned"), `Drawn from ${drawn.toLocaleString("en")} of ${all.toLocaleString("en")} checkpoints: of each stretch the lowest and the highest.`);
}
