// ---- matrix: the confusion matrix of the run that is selected -------------------------------------------------

const BACKGROUND = "Background";
const MANY_CLASSES = 24;
const REFRESH = 5; // seconds between two looks for evaluations of a run that goes on

const matrix = { of: null, evaluations: [], at: 0, askedAt: 0, total: 0, drawn: "" };

function loadMatrices() {
  const run = model.runs.get(view.selected);
  if (!run) return;
  if (matrix.of !== run.id) Object.assign(matrix, { of: run.id, evaluations: [], at: 0, total: 0 });
  matrix.askedAt = now();
  if (report) takeMatrices(run.id, report.matrices[run.id] ?? [], report.evaluations[run.id] ?? 0);
  else askMatrices(run);
}

async function askMatrices(run) {
  try {
    const answer = await fetch(`projects/${encodeURIComponent(run.projectId)}/runs/${encodeURIComponent(run.id)}/matrices`);
    if (answer.ok) { const told = await answer.json(); takeMatrices(run.id, told, told.length); }
  } catch {
    // the stream tells that the server is gone
  }
}

function takeMatrices(id, evaluations, total) {
  if (matrix.of !== id) return;
  const isAtLatest = matrix.at >= matrix.evaluations.length - 1;
  Object.assign(matrix, { evaluations, total });
  if (isAtLatest) matrix.at = Math.max(0, evaluations.length - 1);
  changed();
}

// Look again now and then while the run goes on.
function refreshMatrices() {
  const run = model.runs.get(view.selected);
  if (run && !report && !isEnded(run) && !document.hidden && now() - matrix.askedAt > REFRESH) loadMatrices();
}

function drawMatrix() {
  const run = model.runs.get(view.selected);
  const shown = matrix.evaluations[matrix.at];
  write(find("matrix-of"), run ? nameOf(run) : "");
  show(find("no-matrix"), !shown);
  show(find("evaluations"), Boolean(shown));
  write(find("no-matrix"), run ? "No evaluation of this run yet." : "Choose a run to see its confusion matrix.");
  const key = JSON.stringify([matrix.of, shown, find("background").checked, find("shares").checked]);
  if (shown) drawSlider(shown);
  if (key === matrix.drawn) return;
  matrix.drawn = key;
  find("matrix").replaceChildren(...(shown ? [tableOf(shown, find("background").checked, find("shares").checked)] : []));
}

function drawSlider(shown) {
  const slider = find("evaluation");
  slider.max = String(matrix.evaluations.length - 1);
  slider.value = String(matrix.at);
  const told = matrix.total > matrix.evaluations.length ? ` (${matrix.total} in all)` : "";
  write(find("evaluation-value"), `step ${shown.evaluation}, ${matrix.at + 1} of ${matrix.evaluations.length}${told}`);
}

// Draw a row a prediction and a column a truth; the shade is the share of the true class.
function tableOf({ classes, counts }, withBackground, asShares) {
  const kept = classes.map((_, i) => i).filter((i) => withBackground || classes[i] !== BACKGROUND);
  const sums = new Map(kept.map((j) => [j, kept.reduce((sum, i) => sum + counts[i][j], 0)]));
  const head = make("tr", {}, make("td", {}),
    ...kept.map((j) => make("th", { scope: "col", title: classes[j] }, classes[j])));
  const lines = kept.map((i) => make("tr", {}, make("th", { scope: "row", title: classes[i] }, classes[i]),
    ...kept.map((j) => cellOf(counts[i][j], sums.get(j), asShares, { predicted: classes[i], truth: classes[j] }))));
  const right = kept.reduce((sum, i) => sum + counts[i][i], 0);
  const all = [...sums.values()].reduce((a, b) => a + b, 0);
  const caption = all ? `${writeCount(right)} of ${writeCount(all)} right, ${((right / all) * 100).toFixed(1)} %` : "Nothing was counted";
  const table = make("table", { class: kept.length > MANY_CLASSES ? "many" : "" },
    make("caption", {}, `${caption}. A row is what was predicted, a column what is true.`), make("thead", {}, head), make("tbody", {}, ...lines));
  const longest = Math.max(0, ...kept.map((i) => classes[i].length));
  head.firstElementChild.style.width = `${Math.min(110, 12 + 7 * longest)}px`;
  table.dataset.classes = String(kept.length);
  return table;
}

function cellOf(count, sum, asShares, { predicted, truth }) {
  const share = sum ? count / sum : 0;
  const text = asShares ? (share ? `${Math.round(share * 100)}%` : "·") : count ? writeCount(count) : "·";
  const title = `${writeCount(count)} of ${writeCount(sum)} ${truth} taken for ${predicted} (${(share * 100).toFixed(1)} %)`;
  const cell = make("td", { title }, text);
  cell.classList.toggle("right", predicted === truth);
  cell.classList.toggle("strong", share > 0.5);
  cell.classList.toggle("none", !count);
  cell.style.setProperty("--share", (predicted === truth ? share : Math.sqrt(share)).toFixed(3)); // few mistakes are seen too
  return cell;
}

const writeCount = (count) => (Number.isInteger(count) ? String(count) : count.toFixed(2));
